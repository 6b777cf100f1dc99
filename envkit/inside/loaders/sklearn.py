"""Stands in for `mlflow.sklearn`: a pickled estimator.

Needs: scikit-learn, or the libraries of a pickled estimator; skops or joblib for those formats.
Returns: what the estimator's own `predict`, or the method that `predict_fn` names, returns.
"""

from __future__ import annotations

import os
import pickle
from importlib import import_module
from typing import Any

from ..pickles import refuse_if_forbidden
from ..request import Flavor, Request
from .native import NativeModel

OTHER_METHODS = (
    "predict_proba",
    "predict_log_proba",
    "predict_joint_log_proba",
    "score",
)


class Estimator(NativeModel):
    """What `mlflow.pyfunc` calls: `predict`, or the method that `predict_fn` names."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        for name in OTHER_METHODS:
            method = getattr(model, name, None)
            if method is not None:
                setattr(self, name, method)


def load(path: str, request: Request) -> Estimator:
    """Load the estimator; `path` is its file, or the folder of the `model_path` of the flavor."""
    flavor = request["flavors"].get("sklearn") or {}
    if not os.path.isfile(path):
        path = os.path.join(path, request["python_function"]["model_path"])
    return Estimator(unpickle(path, flavor))


def load_native(folder: str, flavor: Flavor) -> Any:
    """Load the estimator of a model directory."""
    return unpickle(os.path.join(folder, flavor["pickled_model"]), flavor)


def unpickle(path: str, flavor: Flavor, default: str = "pickle") -> Any:
    """Read a file in the flavor's `serialization_format`.

    Raises `ValueError` for an unknown one.
    """
    name = flavor.get("serialization_format") or default
    if name == "skops":
        return import_module("skops.io").load(path, trusted=flavor.get("skops_trusted_types"))
    refuse_if_forbidden(path)
    if name == "joblib":
        return import_module("joblib").load(path)
    if name not in ("pickle", "cloudpickle"):
        raise ValueError(f"the flavor has the unknown serialization_format {name!r}")
    with open(path, "rb") as stream:
        return pickle.load(stream)  # cloudpickle's `load` is this function
