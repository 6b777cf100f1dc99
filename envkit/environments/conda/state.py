"""The variables that a conda environment sets for what runs in it: `conda-meta/state`, as conda itself keeps them.

https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html#setting-environment-variables
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

_FILE = Path("conda-meta", "state")


def write(environment: Path, variables: Iterable[tuple[str, str]]) -> None:
    """Note the variables; nothing is written where there are none."""
    if noted := dict(variables):
        (environment / _FILE).write_text(
            json.dumps({"version": 1, "env_vars": noted}), encoding="utf-8"
        )


def variables(environment: Path) -> dict[str, str]:
    """Give what programs in the environment get: its variables, and CONDA_PREFIX, by which some find their data."""
    try:
        noted = json.loads((environment / _FILE).read_bytes())["env_vars"]
        found = {str(name): str(value) for name, value in noted.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        found = {}
    return {**found, "CONDA_PREFIX": str(environment)}
