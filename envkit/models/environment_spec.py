"""The environment spec: all that is known of the environment a model needs. The narrow waist of envkit.

Capture ends in one, reproduction begins with one; neither knows the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentSpec:
    """What to build, as the files of a model directory say it.

    directory: the model directory; relative paths in the lines below start there. python: the full
    version of the interpreter, `3.11.7`. requirements: PEP 508 lines, with extras, markers, URLs
    and `--hash` options, `-r` files already followed. constraints: the same, from `-c` files.
    options: lines for the installer that hold for all requirements (`--index-url …`, `--find-links
    …`). build_dependencies: what is installed before the requirements (`pip==23.2.1`, `setuptools`,
    `wheel`). assumed: what MLflow installs besides and the model may count on, where no capture
    says that it does not. lock: the `pylock.toml` of the model, if it has one. conda_channels,
    conda_packages: what `conda.yaml` asks of conda besides Python and pip, as match specs.
    conda_alone: those of them that no requirement stands for, so that without conda they are
    missing. conda_specs: all match specs of `conda.yaml` as written, Python's and pip's among them.
    conda_lock: the `pixi.lock` of the model, if it has one. conda_variables: what `conda.yaml` sets
    for programs in the environment, names and values. variables: names of environment variables
    that the model reads.
    """

    directory: Path
    python: str
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    build_dependencies: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    lock: Path | None = None
    conda_channels: tuple[str, ...] = ()
    conda_packages: tuple[str, ...] = ()
    conda_alone: tuple[str, ...] = ()
    conda_specs: tuple[str, ...] = ()
    conda_lock: Path | None = None
    conda_variables: tuple[tuple[str, str], ...] = ()
    variables: tuple[str, ...] = ()
