"""Loaders that stand in for MLflow's own, so that MLflow need not be installed; one library a file.

Each has `load(path, request)`: `path` leads to the model's data (the `data` of its flavor, else the
model directory), and the result has `predict(data, params)`. Those of libraries also have
`load_native(folder, flavor)`, which gives the library's own object, from a model directory and that
library's section of `MLmodel`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Callable

from ..request import Request

Loader = Callable[[str, Request], Any]

LIBRARIES = (  # whose flavor, MLflow module and module here have one name
    "catboost",
    "diviner",
    "h2o",
    "johnsnowlabs",
    "keras",
    "lightgbm",
    "onnx",
    "pmdarima",
    "prophet",
    "pytorch",
    "sentence_transformers",
    "sklearn",
    "spacy",
    "spark",
    "statsmodels",
    "tensorflow",
    "transformers",
    "xgboost",
)
STAND_INS = {  # by loader module
    "_envkit.loaders.artifact": "pyfunc.artifact",
    "_envkit.loaders.crate": "crate",
    "mlflow.pyfunc.model": "pyfunc.python_model",
    "mlflow.pyfunc.loaders.chat_model": "pyfunc.chat_model",
    "mlflow.pyfunc.loaders.code_model": "pyfunc.code_model",
    **{f"mlflow.{name}": name for name in LIBRARIES},
}


def loader_for(loader_module: str) -> Loader:
    """Give the stand-in for a loader module, or the loader that imports any module."""
    name = STAND_INS.get(loader_module, "pyfunc.module")
    loader: Loader = import_module(f"{__name__}.{name}").load
    return loader
