"""A model compared with an existing environment: wheel tags, conda packages, versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from envkit.interpreters.facts import InterpreterFacts
from envkit.validating.files.facts import ModelFacts
from envkit.validating.options import StageOptions
from envkit.validating.stages import drift
from envkit.validating.stages.drift import Drift
from tests.builders.files import write_files
from tests.builders.sound_model import FILES, Sound, seen

WITH_CONDA_PACKAGES = FILES["conda.yaml"].replace(
    "- pip\n- pip:", "- pytorch=2.1.0\n- openblas=0.3.1\n- pip\n- pip:"
)


def interpreter(version: str, platform: str, implementation: str = "cpython") -> InterpreterFacts:
    return InterpreterFacts(version=version, implementation=implementation, platform=platform)


def compared(model: Path, *lines: str) -> Drift:
    """The drift of a model from an environment with these pins."""
    there = model.parent / "there.txt"
    there.write_text("".join(f"{line}\n" for line in lines))
    return drift.compare(ModelFacts(model), StageOptions(against=str(there)))


@pytest.mark.parametrize(
    ("tag", "version", "platform", "can"),
    [
        ("py3-none-any", "3.11.7", "linux-x86_64", True),
        ("py2.py3-none-any", "3.11.7", "linux-x86_64", True),
        ("cp311-cp311-manylinux_2_17_x86_64", "3.11.7", "linux-x86_64", True),
        ("cp310-cp310-manylinux_2_17_x86_64", "3.11.7", "linux-x86_64", False),
        ("cp38-abi3-manylinux2014_x86_64", "3.11.7", "linux-x86_64", True),
        ("cp312-abi3-manylinux2014_x86_64", "3.11.7", "linux-x86_64", False),
        # another machine
        ("cp311-cp311-manylinux_2_17_aarch64", "3.11.7", "linux-x86_64", False),
        ("cp311-cp311-manylinux_2_17_aarch64", "3.11.7", "linux-aarch64", True),
        ("py3-none-manylinux1_i686", "3.11.7", "linux-x86_64", False),
        # another system
        ("cp311-cp311-win_amd64", "3.11.7", "linux-x86_64", False),
        ("cp311-cp311-win_amd64", "3.11.7", "win-amd64", True),
        ("cp311-cp311-macosx_11_0_arm64", "3.11.7", "linux-aarch64", False),
        # a system of its own without a machine that is compared
        ("cp311-cp311-macosx_11_0_arm64", "3.11.7", "macosx-11.0-universal2", True),
        ("cp311-cp311-macosx_10_9_universal2", "3.11.7", "macosx-14.0-arm64", True),
        ("cp311-cp311-linux_riscv64", "3.11.7", "linux-riscv64", True),
        ("pp310-pypy310_pp73-manylinux2014_x86_64", "3.11.7", "linux-x86_64", False),
    ],
)
def test_an_interpreter_imports_wheels_of_its_version_system_and_machine(
    tag: str, version: str, platform: str, can: bool
) -> None:
    assert drift.can_import(tag, interpreter(version, platform)) is can


def test_pypy_imports_its_own_wheels_and_not_those_of_cpython() -> None:
    pypy = interpreter("3.10.14", "linux-x86_64", "pypy")

    assert drift.can_import("pp310-pypy310_pp73-manylinux2014_x86_64", pypy)
    assert not drift.can_import("cp310-cp310-manylinux2014_x86_64", pypy)


def test_conda_packages_are_needed_if_the_capture_recorded_them_as_distributions(
    sound: Sound,
) -> None:
    distributions = [
        seen("acme", "1.0", "requirement"),
        seen("other", "2.0", "constraint"),
        seen("torch", "2.1.0", "requirement"),
    ]
    model = sound(distributions=distributions)
    write_files(model, {"conda.yaml": WITH_CONDA_PACKAGES})

    absent = {
        package.name: package for package in compared(model, "acme==1.0", "other==2.0").absent
    }

    assert absent.keys() == {"torch"}
    assert (absent["torch"].spec, absent["torch"].version) == ("pytorch=2.1.0", "2.1.0")


def test_without_evidence_every_conda_package_is_needed(sound: Sound) -> None:
    model = sound({"conda.yaml": WITH_CONDA_PACKAGES, "envkit.json": None})

    absent = compared(model, "acme==1.0", "other==2.0").absent

    assert {package.name for package in absent} == {"torch", "openblas"}


@pytest.mark.parametrize(
    ("requirement", "actual", "is_other"),
    [
        ("acme==1.0", "acme==1.0", False),
        ("acme==1.0", "acme==1.0+local", False),
        ("acme==1.0+cpu", "acme==1.0", True),
        ("acme==1.0", "acme==1.1", True),
        ("acme>=1.0", "acme==1.1", False),
        ("acme>=1.0", "acme==0.9", True),
        ("acme>=1.0", "acme==2.0rc1", False),
    ],
)
def test_a_version_differs_if_the_requirement_does_not_admit_it(
    sound: Sound, requirement: str, actual: str, is_other: bool
) -> None:
    model = sound(
        {"requirements.txt": f"{requirement}\n", "pylock.toml": None, "envkit.json": None}
    )

    others = [needed.name for needed, _ in compared(model, actual).other_versions]

    assert others == (["acme"] if is_other else [])
