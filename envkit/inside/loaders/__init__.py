"""Loaders, one a flavor, that stand in for MLflow's own so that MLflow need not be installed.

Each has `load(path, request)`: `path` leads to the model's data (the `data` of its flavor, else the model
directory); it gives an object with `predict(data, params)`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Callable, Mapping

Loader = Callable[[str, Mapping[str, Any]], Any]

STAND_INS = {
    "_envkit.loaders.artifact": "artifact",
    "mlflow.sklearn": "sklearn",
    "mlflow.xgboost": "xgboost",
    "mlflow.pyfunc.model": "python_model",
    "mlflow.pyfunc.loaders.code_model": "code_model",
}


def loader_for(loader_module: str) -> Loader:
    """Give the stand-in for a loader module, or one that imports the module itself."""
    name = STAND_INS.get(loader_module, "module")
    loader: Loader = import_module(f"{__name__}.{name}").load
    return loader
