"""In place of `mlflow.prophet`: a forecaster of Prophet, as JSON."""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any, Mapping

from .native import Native


def load(path: str, request: Mapping[str, Any]) -> Native:  # noqa: ARG001 - as the other loaders
    """Load the forecaster."""
    return Native(load_native(request["model"], request["flavors"]["prophet"]))


def load_native(folder: str, flavor: Mapping[str, Any]) -> Any:
    """Give the forecaster of a model directory: a JSON text that holds Prophet's own JSON text."""
    with open(os.path.join(folder, flavor.get("data", "model.pr")), encoding="utf-8") as stream:
        text = json.load(stream)
    return import_module("prophet.serialize").model_from_json(text)
