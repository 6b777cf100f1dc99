"""`predict` of the Python API: how it treats arguments; nothing is built or run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from envkit.environments import prediction, reproduction
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.errors import InvalidArgument, InvalidInput
from tests.builders.interpreters import RUNNING
from tests.builders.models import write_environment, write_mlmodel


class Spy:
    """Stands in for preparing an environment and running a model; keeps what they are given."""

    def prepare(self, _: Any, choice: EnvironmentChoice, **__: Any) -> Any:
        self.overrides = choice.overrides
        return type("Environment", (), {"notes": ()})()

    def predict(self, *arguments: Any, input_name: str, **_: Any) -> list[int]:
        file = arguments[2]
        self.content, self.input_name = file.read_bytes(), input_name
        return [1]


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    spy = Spy()
    monkeypatch.setattr(reproduction, "prepare", spy.prepare)
    monkeypatch.setattr(prediction, "predict", spy.predict)
    return spy


@pytest.fixture
def model(tmp_path: Path) -> Path:
    model = write_mlmodel(tmp_path / "model", "own")
    return write_environment(model, python="3.11.7")


@pytest.mark.parametrize("given", ["numpy>=1.26", ["numpy>=1.26"], ("numpy>=1.26",)])
def test_one_override_may_be_given_as_text(model: Path, spy: Spy, given: Any) -> None:
    reproduction.predict(model, {"inputs": [1]}, pip_requirements_override=given)

    assert spy.overrides == ("numpy>=1.26",)


def test_input_may_come_through_a_pipe(model: Path, spy: Spy, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b'{"inputs": [1]}',))
    writer.start()
    reproduction.predict(model, input_path=pipe)
    writer.join()

    assert (spy.content, spy.input_name) == (b'{"inputs": [1]}', str(pipe))


def test_given_data_is_not_called_by_the_name_of_a_temporary_file(model: Path, spy: Spy) -> None:
    reproduction.predict(model, "{}")

    assert spy.input_name == "the input"


@pytest.mark.parametrize("variables", [{"A": 3}, {"A=": "b"}, {"": "b"}, {"A": "\0"}])
@pytest.mark.usefixtures("spy")
def test_variables_that_cannot_be_set_are_told(model: Path, variables: Any) -> None:
    with pytest.raises(InvalidArgument, match="extra_envs"):
        reproduction.predict(model, "{}", extra_envs=variables)


@pytest.mark.usefixtures("spy")
def test_a_missing_output_folder_is_told_before_anything_is_built(
    model: Path, tmp_path: Path
) -> None:
    with pytest.raises(InvalidArgument, match="no such folder"):
        reproduction.predict(model, "{}", output_path=tmp_path / "no" / "answer.json")


@pytest.mark.usefixtures("spy")
def test_input_that_is_no_file_or_no_text_is_told(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No input file"):
        reproduction.predict(model, input_path=tmp_path)
    with pytest.raises(InvalidArgument, match="UTF-8"):
        reproduction.predict(model, '{"inputs": ["\ud800"]}')


HEAVY = {
    "packaging",
    "piptools",
    "pip",
    "virtualenv",
    "uv",
    "rattler",
    "rich",
    "requests",
    "httpx",
    "pandas",
    "numpy",
}
NOT_NEEDED = {
    "subprocess",
    "tempfile",
    "tomllib",
    "configparser",
    "csv",
    "logging",
    "optparse",
    "argparse",
}


def test_asking_for_an_environment_that_is_there_imports_little(model: Path) -> None:
    (model / "python_env.yaml").write_text(f"python: {RUNNING}\n", encoding="utf-8")
    argv: list[str | Path] = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "envkit",
        "prepare-env",
        model,
    ]
    subprocess.run(argv, check=True, capture_output=True)
    ended = subprocess.run(argv, check=True, capture_output=True, text=True)
    imported = {
        line.rpartition("|")[2].strip() for line in ended.stderr.splitlines() if "|" in line
    }

    assert "envkit.environments.store.store" in imported
    assert not {name.partition(".")[0] for name in imported} & HEAVY
    assert not imported & NOT_NEEDED
