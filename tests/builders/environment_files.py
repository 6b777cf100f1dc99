"""Models of environment files: what MLflow and envkit write next to `MLmodel`."""

from __future__ import annotations

from pathlib import Path

MLMODEL = """\
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.pyfunc.model
    python_version: 3.11.7
"""
CONDA = """\
channels: [conda-forge]
dependencies:
- python=3.10.13
- pip<=23.2.1
- libgcc
- pip: [mlflow==3.1, a]
"""
PYTHON_ENV = """\
python: 3.9.18
build_dependencies: [pip==23.2.1, wheel]
dependencies: [-r requirements.txt]
"""


def environment_files_model(folder: Path, mlmodel: str = MLMODEL, **files: str) -> Path:
    """Write a model of these files (keyword `name__extension`) and give its path."""
    path = folder / "model"
    path.mkdir()
    (path / "MLmodel").write_text(mlmodel)
    for name, text in files.items():
        (path / name.replace("__", ".")).write_text(text)
    return path
