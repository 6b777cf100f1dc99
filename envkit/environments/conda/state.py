"""The variables that a conda environment sets for its programs, in conda's own file.

"Setting environment variables" in
https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

_FILE = Path("conda-meta", "state")


def write(environment: Path, variables: Iterable[tuple[str, str]]) -> None:
    """Store the variables; without any, nothing is written."""
    stored = dict(variables)
    if stored:
        text = json.dumps({"version": 1, "env_vars": stored})
        (environment / _FILE).write_text(text, encoding="utf-8")


def variables(environment: Path) -> dict[str, str]:
    """Return the variables of programs in the environment; some find their data by CONDA_PREFIX."""
    try:
        stored = json.loads((environment / _FILE).read_bytes())["env_vars"]
        own = {str(name): str(value) for name, value in stored.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        own = {}
    return {**own, "CONDA_PREFIX": str(environment)}
