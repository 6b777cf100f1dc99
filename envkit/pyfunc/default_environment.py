"""The requirements that every model of a flavor has at least."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any


def pinned(*names: str) -> list[str]:
    """Return a requirement for each distribution, pinned to the version that is installed."""
    requirements = []
    for name in names:
        try:
            requirements.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            requirements.append(name)
    return requirements


def conda_environment(requirements: Sequence[str]) -> dict[str, Any]:
    """Return the content of a `conda.yaml` with the running Python and these requirements."""
    return {
        "name": "envkit-env",
        "channels": ["conda-forge"],
        "dependencies": [
            f"python={platform.python_version()}",
            "pip",
            {"pip": list(requirements)},
        ],
    }
