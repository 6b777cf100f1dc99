"""In place of `mlflow.lightgbm`: a booster in LightGBM's own format, or a pickled scikit-learn model."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from .native import Native
from .sklearn import unpickle

BOOSTER = "lightgbm.basic.Booster"


def load(path: str, request: Mapping[str, Any]) -> Native:  # noqa: ARG001 - as the other loaders
    """Load the model."""
    return Native(load_native(request["model"], request["flavors"]["lightgbm"]))


def load_native(folder: str, flavor: Mapping[str, Any]) -> Any:
    """Give the model of a model directory; MLflow before 1.22 wrote no `model_class` and meant a booster."""
    path = os.path.join(folder, flavor["data"])
    if flavor.get("model_class", BOOSTER) == BOOSTER:
        return import_module("lightgbm").Booster(model_file=path)
    return unpickle(path, flavor, default="cloudpickle")
