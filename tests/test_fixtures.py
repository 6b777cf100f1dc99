"""The fixture models are what their maker says they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.builders.fixture_models import FIXTURES, MODELS


@pytest.mark.parametrize("name", MODELS)
def test_a_fixture_model_was_written_by_mlflow(name: str) -> None:
    written = (FIXTURES / name / "model" / "MLmodel").read_text(encoding="utf-8")

    assert re.search(r"(?m)^mlflow_version: 3\.17\.2$", written)
    assert (
        (FIXTURES / name / "model" / "requirements.txt").read_text().startswith("mlflow==3.17.2\n")
    )


@pytest.mark.parametrize("name", MODELS)
def test_a_fixture_model_has_an_answer_to_its_example(name: str) -> None:
    expected = json.loads((FIXTURES / name / "expected.json").read_text(encoding="utf-8"))

    assert list(expected) == ["predictions"]
    assert expected["predictions"]


def test_each_folder_is_listed() -> None:
    assert sorted(path.name for path in FIXTURES.iterdir()) == sorted(MODELS)


def test_fixtures_are_small() -> None:
    sizes = {path: path.stat().st_size for path in Path(FIXTURES).rglob("*") if path.is_file()}

    assert max(sizes.values()) < 100_000
    assert sum(sizes.values()) < 200_000
