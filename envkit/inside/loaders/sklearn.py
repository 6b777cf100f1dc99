"""In place of `mlflow.sklearn`: a pickled estimator."""

from __future__ import annotations

import os
import pickle
from importlib import import_module
from typing import Any, Mapping

OTHER_METHODS = ("predict_proba", "predict_log_proba", "predict_joint_log_proba", "score")


class Estimator:
    """What `mlflow.pyfunc` calls: `predict`, or another method that `predict_fn` of the flavor names."""

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator
        for name in OTHER_METHODS:
            method = getattr(estimator, name, None)
            if method is not None:
                setattr(self, name, method)

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Predict."""
        return self._estimator.predict(data)


def load(path: str, request: Mapping[str, Any]) -> Estimator:
    """Load the estimator; `path` is its file, or the folder in which `model_path` of the flavor lies."""
    flavor = request["flavors"].get("sklearn") or {}
    if not os.path.isfile(path):
        path = os.path.join(path, request["python_function"]["model_path"])
    return Estimator(_read(path, flavor))


def _read(path: str, flavor: Mapping[str, Any]) -> Any:
    form = flavor.get("serialization_format", "pickle")
    if form == "skops":
        return import_module("skops.io").load(path, trusted=flavor.get("skops_trusted_types"))
    if form == "joblib":
        return import_module("joblib").load(path)
    if form not in ("pickle", "cloudpickle"):
        raise ValueError(f"the sklearn flavor has the unknown serialization_format {form!r}")
    with open(path, "rb") as stream:
        return pickle.load(stream)  # cloudpickle's `load` is this function
