"""Real models are captured, rebuilt, and predict what MLflow predicts."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.builders.files import read_files
from tests.builders.fixture_models import (
    FIXTURES_PYTHON,
    MODELS,
    FixtureModel,
    copy_fixture_model,
)
from tests.builders.interpreters import RUNNING_MINOR
from tests.builders.programs import Envkit

pytestmark = [pytest.mark.e2e, pytest.mark.network]


LIST = """
from importlib.metadata import distributions
print(*(distribution.metadata["Name"] for distribution in distributions()))
"""

NEEDED = {
    "sklearn_pipeline": {"scikit-learn", "pandas"},
    "xgboost_regressor": {"xgboost-cpu", "pandas"},
    "custom_loader": {"humanize", "pandas"},
    "python_model": {"mlflow-skinny", "numpy", "pandas"},
    "code_model": {"mlflow-skinny"},
}
NOT_NEEDED = {
    "sklearn_pipeline": {"mlflow-skinny", "humanize", "xgboost-cpu", "pyyaml", "click"},
    "xgboost_regressor": {"mlflow-skinny", "humanize", "xgboost", "pyyaml", "click"},
    "custom_loader": {"mlflow-skinny", "cloudpickle", "scikit-learn", "pyyaml", "click"},
    "python_model": {"humanize", "scikit-learn", "xgboost-cpu"},
    "code_model": {"humanize", "scikit-learn", "xgboost-cpu"},
}


def close_to(expected: Any) -> Any:
    """Give the expected answer; the last digits of floats may differ between machines."""
    if isinstance(expected, dict):
        return {key: close_to(value) for key, value in expected.items()}
    if isinstance(expected, list) and expected and isinstance(expected[0], float):
        return pytest.approx(expected, rel=1e-6)
    return expected


def pinned(file: Path) -> dict[str, str]:
    """The requirements of a file, by name."""
    lines = [
        line
        for line in file.read_text(encoding="utf-8").splitlines()
        if line and line[0] not in "-#"
    ]
    return {requirement.name.lower(): str(requirement) for requirement in map(Requirement, lines)}


@dataclass(frozen=True, kw_only=True)
class Captured:
    """A fixture model, captured where it works, and the files it had before."""

    model: FixtureModel
    before: dict[str, bytes]

    @property
    def path(self) -> Path:
        return self.model.path

    @property
    def requirements(self) -> dict[str, str]:
        return pinned(self.path / "requirements.txt")

    @property
    def closure(self) -> dict[str, str]:
        return {**self.requirements, **pinned(self.path / "constraints.txt")}


@pytest.fixture(scope="module", params=MODELS)
def captured(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    model_python: Path,
    envkit: Envkit,
) -> Captured:
    if request.param == "python_model" and RUNNING_MINOR != FIXTURES_PYTHON:
        pytest.skip(f"its pickle holds bytecode of Python {FIXTURES_PYTHON}")
    model = copy_fixture_model(request.param, tmp_path_factory.mktemp("models"))
    before = read_files(model.path)
    envkit("capture", "--python", model_python, model.path)
    return Captured(model=model, before=before)


def test_the_rebuilt_environment_gives_the_answer_of_mlflow(
    captured: Captured, envkit: Envkit
) -> None:
    shown = envkit("predict", captured.path, "-i", captured.model.input)

    assert json.loads(shown.stdout) == close_to(captured.model.expected)


def test_a_capture_lists_the_models_requirements_and_nothing_else(captured: Captured) -> None:
    assert set(captured.closure) >= NEEDED[captured.path.name]
    assert not set(captured.closure) & NOT_NEEDED[captured.path.name]


def test_the_rebuilt_environment_holds_the_closure_and_nothing_else(
    captured: Captured, envkit: Envkit
) -> None:
    python = json.loads(envkit("prepare-env", captured.path, "--json").stdout)["python"]

    listed = subprocess.run([python, "-c", LIST], check=True, capture_output=True, text=True)
    names = [canonicalize_name(name) for name in listed.stdout.split()]
    assert sorted(names) == sorted(canonicalize_name(name) for name in captured.closure)


def test_a_second_capture_writes_the_same_bytes(
    captured: Captured, model_python: Path, envkit: Envkit
) -> None:
    first = read_files(captured.path)
    envkit("capture", "--python", model_python, captured.path)

    second = read_files(captured.path)
    assert list(second) == list(first)
    for name, content in second.items():
        assert content.splitlines() == first[name].splitlines(), name


def test_a_capture_changes_only_its_own_files(captured: Captured) -> None:
    before, after = captured.before, read_files(captured.path)

    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed <= {
        "requirements.txt",
        "constraints.txt",
        "conda.yaml",
        "python_env.yaml",
        "environment_variables.txt",
        "pylock.toml",
        "envkit.json",
    }
