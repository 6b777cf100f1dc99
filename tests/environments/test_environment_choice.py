"""One value says which environment a model runs in; every entry point reads its arguments alike."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import envkit
from envkit.environments.lookup import find_env
from envkit.environments.packing.pack import pack
from envkit.errors import InvalidArgument, NotAnInterpreter
from envkit.pyfunc.loading import load_model
from envkit.spark.udf import spark_udf
from envkit.validating.difference import diff
from envkit.validating.validate import validate
from tests.builders.interpreters import RUNNING

PREFIX = Path(sys.prefix)


@pytest.fixture
def model(packable_for: Callable[[str], Path]) -> Path:
    return packable_for(RUNNING)


@pytest.fixture
def python_on_the_path(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PATH", str(PREFIX / "bin"))
    return f"python{sys.version_info.major}"


def test_the_folder_of_an_environment_names_its_interpreter(model: Path) -> None:
    by_folder = find_env(model, python=PREFIX)

    assert by_folder.path == find_env(model, python=sys.executable).path


def test_a_relative_folder_names_its_interpreter(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PREFIX.parent)

    assert find_env(model, python=PREFIX.name).path == find_env(model, python=PREFIX).path


def test_a_command_on_the_path_names_its_interpreter(model: Path, python_on_the_path: str) -> None:
    by_command = find_env(model, python=python_on_the_path)

    assert by_command.path == find_env(model, python=sys.executable).path


def test_diff_takes_a_command_on_the_path(model: Path, python_on_the_path: str) -> None:
    assert diff(model, python_on_the_path) == diff(model, PREFIX)


def test_validate_against_takes_a_command_on_the_path(model: Path, python_on_the_path: str) -> None:
    by_command = validate(model, against=python_on_the_path)
    by_folder = validate(model, against=PREFIX)

    problems = [finding.rule for finding in by_command.findings]
    assert problems == [finding.rule for finding in by_folder.findings]
    assert problems


def serve(model: Path, **arguments: Any) -> None:
    envkit.serve(model, port=0, synchronous=False, **arguments)


def packed(model: Path, **arguments: Any) -> None:
    pack(model, model.parent / "packed.tar", **arguments)


def predicted(model: Path, **arguments: Any) -> None:
    envkit.predict(model, {"inputs": [1]}, **arguments)


def as_udf(model: Path, **arguments: Any) -> None:
    session = type("Session", (), {"sparkContext": None})()
    spark_udf(session, model, **arguments)


def loaded(model: Path, **arguments: Any) -> None:
    load_model(model, **{"env_manager": "uv", **arguments})


EVERY = [envkit.prepare_env, find_env, packed, predicted, serve, validate, loaded]


@pytest.mark.parametrize("entry", [*EVERY, as_udf])
def test_an_unknown_manager_is_an_invalid_argument(entry: Callable[..., Any], model: Path) -> None:
    if entry is as_udf:
        pytest.importorskip("pyspark")
    with pytest.raises(InvalidArgument, match=r"env_manager must be one of local, .*'docker'"):
        entry(model, env_manager="docker")


@pytest.mark.parametrize("entry", EVERY)
def test_an_unknown_policy_is_an_invalid_argument(entry: Callable[..., Any], model: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"python_policy must be one of exact, .*'any'"):
        entry(model, python_policy="any")


@pytest.mark.parametrize("entry", EVERY)
def test_what_is_not_an_interpreter_is_refused(entry: Callable[..., Any], model: Path) -> None:
    with pytest.raises(NotAnInterpreter, match="no-such-python"):
        entry(model, python="no-such-python")
