"""Differences between this process and the environment that a model was saved with."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement as Pep508

from envkit.errors import InvalidInput
from envkit.formats.requirement import Requirement
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.environment_spec import EnvironmentSpec


def warn(model: ModelDirectory, *, stacklevel: int) -> None:
    """Warn about each difference; nothing is imported to find out.

    A model without environment files has no differences.
    """
    try:
        spec = read_spec(model)
    except InvalidInput:
        return
    differences = list(_differences(spec))
    if differences:
        lines = "".join(f"\n  - {difference}" for difference in differences)
        warnings.warn(
            f"{model.name} was saved with other versions than this process has:{lines}\n"
            "It may fail or predict otherwise. Load it in its own environment with "
            "`load_model(…, env_manager='uv')`.",
            stacklevel=stacklevel + 1,
        )


def _differences(spec: EnvironmentSpec) -> Iterator[str]:
    here = platform.python_version()
    if spec.python and spec.python.split(".")[:2] != here.split(".")[:2]:
        yield f"python (here: {here}, required: {spec.python})"
    for requirement in spec.requirements:
        if difference := _difference(requirement):
            yield difference


def _difference(requirement: Requirement) -> str | None:
    required = requirement.pep508
    # A path or a bare URL has no name.
    if required is None:
        return None
    if required.marker is not None and not required.marker.evaluate():
        return None
    try:
        here = version(required.name)
    except PackageNotFoundError:
        return f"{required.name} (here: not installed, required: {_text(required)})"
    if required.url is not None or required.specifier.contains(here, prereleases=True):
        return None
    return f"{required.name} (here: {here}, required: {_text(required)})"


def _text(required: Pep508) -> str:
    return str(required.url or required.specifier or "any version").removeprefix("==")
