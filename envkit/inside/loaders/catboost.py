"""In place of `mlflow.catboost`: a model in CatBoost's own formats."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from .native import Native


def load(path: str, request: Mapping[str, Any]) -> Native:  # noqa: ARG001 - as the other loaders
    """Load the model."""
    return Native(load_native(request["model"], request["flavors"]["catboost"]))


def load_native(folder: str, flavor: Mapping[str, Any]) -> Any:
    """Give the model of a model directory."""
    model = getattr(import_module("catboost"), flavor["model_type"])()
    path = os.path.join(folder, flavor.get("data", "model.cb"))
    return model.load_model(path, flavor.get("save_format") or "cbm")
