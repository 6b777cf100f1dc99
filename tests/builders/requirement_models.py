"""Models of environment files alone: no code, a loader that is never imported."""

from __future__ import annotations

from pathlib import Path

from tests.builders.files import write_files
from tests.builders.interpreters import RUNNING_MINOR
from tests.builders.models import write_environment, write_mlmodel


def requirement_model(folder: Path, requirements: str, constraints: str | None = None) -> Path:
    """Write `folder/model` with these requirements, for the running minor version."""
    model = folder / "model"
    if constraints is not None:
        write_files(model, {"constraints.txt": constraints})
        requirements += "-c constraints.txt\n"
    env = {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
    write_mlmodel(model, "m", env=env)
    return write_environment(model, requirements=requirements, python=RUNNING_MINOR)
