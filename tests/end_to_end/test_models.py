"""The main job on real models: capture where they work, rebuild, predict, and get MLflow's own answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.conftest import MODELS, FixtureModel
from tests.end_to_end.conftest import Envkit

pytestmark = [pytest.mark.e2e, pytest.mark.network]

MINE = f"{sys.version_info.major}.{sys.version_info.minor}"
FIXTURES_PYTHON = "3.11"

LIST = "from importlib.metadata import distributions; print(*(each.metadata['Name'] for each in distributions()))"

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
    """The same, where the last digits of floats may differ from machine to machine."""
    if isinstance(expected, dict):
        return {key: close_to(each) for key, each in expected.items()}
    if isinstance(expected, list) and expected and isinstance(expected[0], float):
        return pytest.approx(expected, rel=1e-6)
    return expected


def pinned(file: Path) -> dict[str, str]:
    """The requirements of a file, by name."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and line[0] not in "-#"]
    return {requirement.name.lower(): str(requirement) for requirement in map(Requirement, lines)}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest, fixture_model: Callable[[str], FixtureModel]) -> FixtureModel:
    if request.param == "python_model" and MINE != FIXTURES_PYTHON:
        pytest.skip(f"its pickle holds bytecode of Python {FIXTURES_PYTHON}")
    return fixture_model(request.param)


def test_the_rebuilt_environment_gives_the_answer_of_mlflow(
    model: FixtureModel, model_python: Path, envkit: Envkit
) -> None:
    envkit("capture", "--python", model_python, model.path)
    shown = envkit("predict", model.path, "-i", model.input)

    assert json.loads(shown.stdout) == close_to(model.expected)


def test_a_capture_lists_what_the_model_needs_and_nothing_else(
    model: FixtureModel, model_python: Path, envkit: Envkit
) -> None:
    envkit("capture", "--python", model_python, model.path)

    requirements = pinned(model.path / "requirements.txt")
    closure = {**requirements, **pinned(model.path / "constraints.txt")}
    assert set(closure) >= NEEDED[model.path.name]
    assert not set(closure) & NOT_NEEDED[model.path.name]


def test_the_rebuilt_environment_holds_the_closure_and_nothing_else(
    model: FixtureModel, model_python: Path, envkit: Envkit
) -> None:
    envkit("capture", "--python", model_python, model.path)
    python = json.loads(envkit("prepare-env", model.path, "--json").stdout)["python"]

    held = subprocess.run([python, "-c", LIST], check=True, capture_output=True, text=True).stdout.lower().split()
    closure = {**pinned(model.path / "requirements.txt"), **pinned(model.path / "constraints.txt")}
    assert sorted(name.replace("_", "-") for name in held) == sorted(closure)


def test_two_captures_write_the_same_bytes(model: FixtureModel, model_python: Path, envkit: Envkit) -> None:
    envkit("capture", "--python", model_python, model.path)
    first = contents(model.path)
    envkit("capture", "--python", model_python, model.path)

    assert contents(model.path) == first


def test_a_capture_leaves_alone_what_is_not_its_business(
    model: FixtureModel, model_python: Path, envkit: Envkit
) -> None:
    before = contents(model.path)
    envkit("capture", "--python", model_python, model.path)
    after = contents(model.path)

    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed <= {
        "requirements.txt", "constraints.txt", "conda.yaml", "python_env.yaml", "environment_variables.txt",
        "pylock.toml", "envkit.json",
    }  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
