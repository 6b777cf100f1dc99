"""What a model's environment holds in another version than this process."""

from __future__ import annotations

import platform
import warnings
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement as Pep508

from envkit.errors import InvalidInput
from envkit.formats.requirement import Requirement
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec


def warn(model: ModelDirectory, *, stacklevel: int) -> None:
    """Warn of each difference; nothing is imported for that. A model without files of an environment has none."""
    try:
        spec = read_spec(model)
    except InvalidInput:
        return
    found = [
        difference for requirement in spec.requirements if (difference := _difference(requirement))
    ]
    if spec.python and spec.python.split(".")[:2] != platform.python_version().split(".")[:2]:
        found.insert(0, f"python (here: {platform.python_version()}, required: {spec.python})")
    if found:
        lines = "".join(f"\n  - {each}" for each in found)
        warnings.warn(
            f"{model.name} was saved with other versions than this process has:{lines}\n"
            "It may fail or predict otherwise. In its own environment it runs with `load_model(…, env_manager='uv')`.",
            stacklevel=stacklevel + 1,
        )


def _difference(requirement: Requirement) -> str | None:
    required = requirement.pep508
    if required is None:
        # a path or a bare URL
        return None
    if required.marker is not None and not required.marker.evaluate():
        return None
    try:
        here = version(required.name)
    except PackageNotFoundError:
        return f"{required.name} (here: not installed, required: {_said(required)})"
    fits = required.url is not None or required.specifier.contains(here, prereleases=True)
    if fits:
        return None
    return f"{required.name} (here: {here}, required: {_said(required)})"


def _said(required: Pep508) -> str:
    return str(required.url or required.specifier or "any version").removeprefix("==")
