"""Copies of the models of `fixtures/models`, which MLflow wrote."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "models"
MODELS = ("sklearn_pipeline", "xgboost_regressor", "custom_loader", "python_model", "code_model")
FIXTURES_PYTHON = "3.11"
"""The version of Python whose bytecode is in the pickles."""


@dataclass(frozen=True, kw_only=True)
class FixtureModel:
    """A copy of a fixture model, and what MLflow predicts for its input example."""

    path: Path
    expected: Any

    @property
    def input(self) -> Path:
        """The input example as a request to a scoring server."""
        return self.path / "serving_input_example.json"


def copy_fixture_model(name: str, into: Path) -> FixtureModel:
    """Copy a model of `fixtures/models` into a folder."""
    path = into / name
    shutil.copytree(FIXTURES / name / "model", path)
    expected = json.loads((FIXTURES / name / "expected.json").read_text(encoding="utf-8"))
    return FixtureModel(path=path, expected=expected)
