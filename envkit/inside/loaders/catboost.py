"""Stands in for `mlflow.catboost`: a model in CatBoost's own formats.

Needs: catboost.
Returns: what the model's own `predict` returns.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from ..request import Flavor, Request
from .native import NativeModel


def load(path: str, request: Request) -> NativeModel:  # noqa: ARG001 - as the other loaders
    """Load the model."""
    return NativeModel(load_native(request["model"], request["flavors"]["catboost"]))


def load_native(folder: str, flavor: Flavor) -> Any:
    """Load the model of a model directory."""
    model = getattr(import_module("catboost"), flavor["model_type"])()
    path = os.path.join(folder, flavor.get("data", "model.cb"))
    return model.load_model(path, flavor.get("save_format") or "cbm")
