"""Stands in for `mlflow.lightgbm`: a booster in LightGBM's format, or a pickled model.

Needs: lightgbm; scikit-learn for its models.
Returns: what the model's own `predict` returns.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from ..request import Flavor, Request
from .native import NativeModel
from .sklearn import unpickle

BOOSTER = "lightgbm.basic.Booster"


def load(path: str, request: Request) -> NativeModel:  # noqa: ARG001 - as the other loaders
    """Load the model."""
    return NativeModel(load_native(request["model"], request["flavors"]["lightgbm"]))


def load_native(folder: str, flavor: Flavor) -> Any:
    """Load the model of a model directory.

    Without `model_class` (MLflow before 1.22) it is a booster.
    """
    path = os.path.join(folder, flavor["data"])
    if flavor.get("model_class", BOOSTER) == BOOSTER:
        return import_module("lightgbm").Booster(model_file=path)
    return unpickle(path, flavor, default="cloudpickle")
