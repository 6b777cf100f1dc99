"""Stands in for `mlflow.prophet`: a Prophet forecaster, as JSON.

Needs: prophet.
Returns: what the forecaster's own `predict` returns, a data frame.
"""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any

from ..request import Flavor, Request
from .native import NativeModel


def load(path: str, request: Request) -> NativeModel:  # noqa: ARG001 - as the other loaders
    """Load the forecaster."""
    return NativeModel(load_native(request["model"], request["flavors"]["prophet"]))


def load_native(folder: str, flavor: Flavor) -> Any:
    """Load the forecaster of a model directory: a JSON string with Prophet's own JSON text."""
    with open(os.path.join(folder, flavor.get("data", "model.pr")), encoding="utf-8") as stream:
        text = json.load(stream)
    return import_module("prophet.serialize").model_from_json(text)
