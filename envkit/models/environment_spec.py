"""The environment spec: all that is known of the environment that a model needs.

Capture ends in one, reproduction begins with one; neither knows the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from envkit.formats.pylock_toml import LockFile
from envkit.formats.requirement import Requirement
from envkit.formats.requirement_lines import Option


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentSpec:
    """What to build, as the files of a model directory say it.

    Attributes:
        directory: The model directory; relative paths in requirements start there.
        python: The full version of the interpreter, `3.11.7`.
        requirements: What to install; `-r` files are already followed.
        constraints: Bounds of versions that install nothing; from `-c` files.
        options: What holds for the whole installation: `--index-url …`, `--find-links …`.
        build_dependencies: What is installed before the requirements: `pip==23.2.1`,
            `setuptools`, `wheel`.
        assumed: What MLflow installs in addition and the model may rely on, unless a capture
            recorded that it does not.
        lock: The `pylock.toml` of the model, if it has one.
        conda_channels: The channels of `conda.yaml`.
        conda_packages: The match specs of `conda.yaml` other than those of Python and pip.
        conda_alone: Those of `conda_packages` that no requirement stands for: without conda they
            are missing.
        conda_specs: All match specs of `conda.yaml` as written, Python's and pip's among them.
        conda_lock: The `pixi.lock` of the model, if it has one.
        conda_variables: Names and values that `conda.yaml` sets for programs in the environment.
        variables: Names of environment variables that the model reads.
    """

    directory: Path
    python: str
    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    options: tuple[Option, ...] = ()
    build_dependencies: tuple[Requirement, ...] = ()
    assumed: tuple[Requirement, ...] = ()
    lock: LockFile | None = None
    conda_channels: tuple[str, ...] = ()
    conda_packages: tuple[str, ...] = ()
    conda_alone: tuple[str, ...] = ()
    conda_specs: tuple[str, ...] = ()
    conda_lock: Path | None = None
    conda_variables: tuple[tuple[str, str], ...] = ()
    variables: tuple[str, ...] = ()
