"""Models of MLflow 1 and 2 (`fixtures/older`) work like those of MLflow 3."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import envkit
from envkit import pyfunc
from envkit.inside.loaders.pyfunc.python_model import Context, PythonModel
from envkit.models import Model
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from tests.builders.fixture_models import FIXTURES

OLDER = FIXTURES.parent / "older"
NAMES = sorted(str(path.relative_to(OLDER)) for path in OLDER.glob("*/*"))


@dataclass(frozen=True, kw_only=True)
class Older:
    """A copy of a model, and what its MLflow predicted."""

    path: Path
    expected: Any
    version: str


@pytest.fixture(params=NAMES)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Older:
    """One older model after the other."""
    folder = OLDER / request.param
    path = shutil.copytree(folder / "model", tmp_path / "model")
    return Older(
        path=path,
        expected=json.loads((folder / "expected.json").read_text()),
        version=folder.parent.name,
    )


def plain(answer: Any) -> Any:
    """Return an answer as `scripts/make_older_fixtures` writes it."""
    if isinstance(answer, dict):
        return {name: plain(member) for name, member in answer.items()}
    if hasattr(answer, "to_dict"):
        return answer.to_dict(orient="records")
    return answer.tolist() if hasattr(answer, "tolist") else answer


def test_there_are_models_of_both_earlier_major_versions() -> None:
    assert {name[0] for name in NAMES} == {"1", "2"}


def test_an_older_model_answers_its_example_as_its_mlflow_did(
    older: Older, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    model = pyfunc.load_model(older.path, suppress_warnings=True)

    answer = model.predict(
        model.input_example, model.metadata.load_input_example_params(older.path)
    )

    assert plain(answer) == older.expected


def test_the_description_of_an_older_model_loses_nothing(older: Older) -> None:
    before = yaml.safe_load((older.path / "MLmodel").read_text())
    after = yaml.safe_load(Model.load(older.path).to_yaml())

    signatures = [description.pop("signature", {}) for description in (before, after)]
    assert before.items() <= after.items()
    for part, text in signatures[0].items():
        for old, new in zip(
            json.loads(text or "[]"), json.loads(signatures[1][part] or "[]"), strict=True
        ):
            assert old.items() <= new.items()


def test_the_environment_of_an_older_model_is_read_from_the_files_of_mlflow(older: Older) -> None:
    spec = read_spec(ModelDirectory.open(older.path))
    files = [envkit.get_model_dependencies(older.path, format=form) for form in ("pip", "conda")]

    assert spec.python in ("3.8.18", "3.10.13")
    assert any(requirement.name == "mlflow" for requirement in spec.requirements)
    assert files == [str(older.path / "requirements.txt"), str(older.path / "conda.yaml")]


@pytest.mark.parametrize("older", ["1.20.2/python_model", "2.9.2/parametrised"], indirect=True)
def test_an_older_model_is_captured(older: Older) -> None:
    captured = envkit.capture(older.path, python=sys.executable)

    assert captured.prediction == older.expected


class FunctionBefore220:
    """Return a function as MLflow before 2.20 saves it, without its type hints."""

    def __init__(self, func: Callable[[Any], Any]) -> None:
        self.func = func

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return self.func(model_input)


def of_texts(data: list[str]) -> Any:
    return data


def of_objects(data: list[dict[str, str]]) -> Any:
    return data


def of_numbers(data: list[float]) -> Any:
    return data


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (of_texts, ["a", "b"]),
        (of_objects, [{"x": "a"}, {"x": "b"}]),
        (of_numbers, pd.DataFrame({"x": ["a", "b"]})),
    ],
)
def test_the_two_type_hints_that_an_older_mlflow_knows_decide_the_form_of_the_rows(
    function: Any, expected: Any
) -> None:
    model = PythonModel(FunctionBefore220(function), Context({}, None))

    assert plain(model.predict(pd.DataFrame({"x": ["a", "b"]}))) == plain(expected)
    assert not model.takes_raw_inputs
