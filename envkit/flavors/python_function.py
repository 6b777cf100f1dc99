"""Python models, as `envkit.pyfunc` saves and loads them.

Every model that predicts has this flavor.
https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pyfunc.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from envkit.flavors._shared import loading
from envkit.pyfunc.in_process import load_here
from envkit.pyfunc.loading import load_model
from envkit.pyfunc.python_models import (
    get_default_conda_env,
    get_default_pip_requirements,
    log_model,
    save_model,
)

FLAVOR_NAME = "python_function"

__all__ = [
    "FLAVOR_NAME",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_model",
    "log_model",
    "save_model",
]


def _load_pyfunc(path: str | Path) -> Any:
    """Load a model of any flavor as one that predicts."""
    return load_here(loading.model_around(path)).implementation
