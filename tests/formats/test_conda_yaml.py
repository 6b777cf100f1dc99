from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from envkit.errors import InvalidFile
from envkit.formats import conda_yaml
from envkit.formats.conda_yaml import CondaEnv, is_pip_section
from tests.builders.files import Write
from tests.cases import cases

CONDA = cases("conda")


@pytest.mark.parametrize("case", CONDA["conda.is_pip_section"])
def test_a_pip_section_is_told_from_a_package(case: dict[str, Any]) -> None:
    assert is_pip_section(case["given"]) is case["expect"]["ok"]


@pytest.mark.parametrize("case", CONDA["conda.read_pip_section"])
def test_the_pip_section_is_read(write: Write, case: dict[str, Any]) -> None:
    path = write({"conda.yaml": yaml.safe_dump(case["given"]) if case["given"] else ""})
    if not case["given"]:
        with pytest.raises(
            InvalidFile, match="is empty"
        ):  # a file that says nothing is a fault, not an environment
            conda_yaml.read(path)
        return

    sections = [
        each["pip"] for each in case["given"].get("dependencies", ()) if is_pip_section(each)
    ]

    assert list(conda_yaml.read(path).pip or ()) == list(
        chain(*sections)
    )  # of two sections, the reference drops one


@pytest.mark.parametrize("case", cases("conda_to_python_env"), ids=lambda case: case["id"])
def test_python_tools_and_requirements_follow_from_a_conda_env(
    write: Write, case: dict[str, Any]
) -> None:
    given = case["given"]
    text = given if isinstance(given, str) else yaml.safe_dump({"dependencies": given})
    path = write({"conda.yaml": text})
    expected = case.get("envkit", case["expect"])
    if "error" in expected:
        with pytest.raises(InvalidFile):
            conda_yaml.python_version(conda_yaml.read(path), path)
        return

    env = conda_yaml.read(path)

    assert {
        "python": conda_yaml.python_version(env, path),
        "build_dependencies": list(env.tools),
        "dependencies": list(env.pip or ()),
    } == expected["ok"]


@pytest.mark.parametrize("case", CONDA["conda.replace_pip_section"][1:3])
def test_a_pip_section_can_be_replaced(write: Write, case: dict[str, Any]) -> None:
    env = conda_yaml.read(write({"conda.yaml": yaml.safe_dump(case["given"]["env"])}))

    written = yaml.safe_load(conda_yaml.dumps(replace(env, pip=tuple(case["given"]["new"]))))

    expected = case["expect"]["ok"]["dependencies"]
    assert written["dependencies"] == sorted(
        expected, key=is_pip_section
    )  # the section goes last, as conda writes it


def test_packages_are_those_that_pip_cannot_install() -> None:
    env = CondaEnv(
        dependencies=("python=3.11", "pip<=23.2", "conda-forge::libgcc=13", "numpy=1.26=py311h1_0")
    )

    assert env.packages == ("conda-forge::libgcc=13", "numpy=1.26=py311h1_0")


def test_the_text_is_that_of_mlflow() -> None:
    env = CondaEnv(
        name="mlflow-env",
        channels=("conda-forge",),
        dependencies=("python=3.11.7", "pip<=23.2.1"),
        pip=("mlflow==3.17.2", "-c constraints.txt"),
    )

    assert conda_yaml.dumps(env) == (
        "channels:\n- conda-forge\ndependencies:\n- python=3.11.7\n- pip<=23.2.1\n"
        "- pip:\n  - mlflow==3.17.2\n"
        "  - -c constraints.txt\nname: mlflow-env\n"
    )


def test_what_is_unknown_survives_a_round_trip(write: Write) -> None:
    path = write(
        {
            "conda.yaml": (
                "name: n\nvariables:\n  A: b\ndependencies:\n- python=3.11\n- pip:\n"
                "  - a\nprefix: /x\n"
            )
        }
    )

    env = conda_yaml.read(path)

    again = write({"again.yaml": conda_yaml.dumps(env)})
    assert conda_yaml.read(again) == env
    assert env.other == {"variables": {"A": "b"}, "prefix": "/x"}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("name: 5\ndependencies: []\n", "name"),
        ("channels: conda-forge\n", "channels"),
        ("dependencies: python\n", "dependencies"),
        ("dependencies:\n- python=3.11\n- 1.26\n", "dependencies[1]"),
        ("dependencies:\n- conda: [a]\n", "dependencies[0]"),
        ("dependencies:\n- pip: [a, 1]\n", "dependencies[0].pip[1]"),
        ("dependencies:\n- '!!'\n", "dependencies[0]"),
    ],
)
def test_a_fault_is_named_with_its_key(write: Write, text: str, where: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        conda_yaml.read(write({"conda.yaml": text}))

    assert caught.value.where == where


@pytest.mark.parametrize(
    "spec", ["python[version='3.9.18']", "python[version=3.9.18]", "defaults::python==3.9.18"]
)
def test_the_version_is_found_in_every_form_of_a_match_spec(spec: str) -> None:
    assert conda_yaml.python_version(CondaEnv(dependencies=(spec,)), Path("conda.yaml")) == "3.9.18"
