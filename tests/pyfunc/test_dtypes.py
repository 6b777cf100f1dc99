"""A column of every dtype on its way to a model, whole: saved, rebuilt, live, by JSON, by HTTP."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import envkit
from envkit import pyfunc
from tests.builders.columns import COLUMNS, SUPPORTED

pytestmark = pytest.mark.e2e

FRAME = pd.DataFrame({name: COLUMNS[name] for name in SUPPORTED})


def description() -> Callable[[pd.DataFrame], list[str]]:
    """Make a function that tells what each column is, and is pickled by value."""

    def describe(data: pd.DataFrame) -> list[str]:
        return [f"{name}: {data[name].dtype} {data[name].tolist()}" for name in data.columns]

    return describe


EXPECTED = description()(FRAME)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dtypes") / "model"
    pyfunc.save_model(
        path, python_model=description(), input_example=FRAME, extra_pip_requirements=["pyarrow"]
    )
    return path


def test_the_model_gets_the_columns_as_they_are_in_python(model: Path) -> None:
    assert pyfunc.load_model(model).predict(FRAME) == EXPECTED
    live: Any = pyfunc.load_model(model, env_manager="uv")
    with live:
        assert live.predict(FRAME) == EXPECTED


def test_the_model_gets_the_columns_as_they_are_by_json_and_http(model: Path) -> None:
    request = model / "serving_input_example.json"

    assert envkit.predict(model, input_path=request) == EXPECTED
    assert envkit.predict(model, FRAME) == EXPECTED
    with envkit.serve(model, port=0, synchronous=False) as server:
        posted = urllib.request.Request(
            f"{server.url}/invocations",
            request.read_bytes(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(posted) as answer:
            assert json.load(answer)["predictions"] == EXPECTED
