from __future__ import annotations

from typing import Any

import pytest
import yaml

from envkit.errors import InvalidFile
from envkit.formats import python_env_yaml
from envkit.formats.python_env_yaml import PythonEnv
from tests.builders.files import Write
from tests.cases import cases


@pytest.mark.parametrize("version", ["3.10", "3", "3.11.7"])
def test_a_version_is_text_even_when_it_looks_like_a_number(write: Write, version: str) -> None:
    path = write({"python_env.yaml": python_env_yaml.dumps(PythonEnv(python=version))})

    assert yaml.safe_load(path.read_text())["python"] == version
    assert python_env_yaml.read(path).python == version


def test_an_unquoted_version_is_refused_with_a_hint(write: Write) -> None:
    with pytest.raises(
        InvalidFile, match=r"python: expected text, found the number 3.1\. Write it in quotes"
    ):
        python_env_yaml.read(write({"python_env.yaml": "python: 3.10\n"}))


@pytest.mark.parametrize("case", cases("python_env"))
def test_fields_are_checked_and_written_as_by_the_reference(
    write: Write, case: dict[str, Any]
) -> None:
    path = write({"python_env.yaml": yaml.safe_dump(case["given"]) if case["given"] else "{}\n"})
    if (
        "error" in case["construct"] or "python" not in case["given"]
    ):  # the running Python is not the model's
        with pytest.raises(InvalidFile):
            python_env_yaml.read(path)
        return

    assert python_env_yaml.dumps(python_env_yaml.read(path)) == case["write"]["ok"]


def test_the_text_is_that_of_mlflow() -> None:
    env = PythonEnv(
        python="3.11.7",
        build_dependencies=("pip==23.2.1", "setuptools==65.5.0", "wheel"),
        dependencies=("-r requirements.txt",),
    )

    assert python_env_yaml.dumps(env) == (
        "python: 3.11.7\nbuild_dependencies:\n- pip==23.2.1\n- setuptools==65.5.0\n- wheel\n"
        "dependencies:\n- -r requirements.txt\n"
    )
