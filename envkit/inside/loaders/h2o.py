"""Stands in for `mlflow.h2o`: a model in H2O's server, which is a Java program.

Needs: h2o, pandas, Java; pyyaml for settings that MLflow does not write.
Takes: a data frame.
Returns: a data frame with the same index.
"""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any

from ..request import Flavor, Request
from .native import NativeModel

SETTINGS = "h2o.yaml"


class ServedModel(NativeModel):
    """What `mlflow.pyfunc` calls."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow ignores them, too
        """Predict."""
        frame = import_module("h2o").H2OFrame(data)
        answer = self.model.predict(frame).as_data_frame()
        answer.index = data.index
        return answer


def load(path: str, request: Request) -> ServedModel:  # noqa: ARG001 - as the other loaders
    """Start a server, or join the one that runs, and load the model into it."""
    return ServedModel(load_native(request["model"], request["flavors"]["h2o"], start=True))


def load_native(folder: str, flavor: Flavor, *, start: bool = False) -> Any:
    """Load the model of a model directory into the server; start: start or join one first."""
    h2o = import_module("h2o")
    data = os.path.join(folder, flavor.get("data", "model.h2o"))
    settings = _read_settings(os.path.join(data, SETTINGS))
    if start:
        h2o.init(**(settings.get("init") or {}))
        h2o.no_progress()
    return h2o.upload_model(os.path.join(data, settings["model_file"]))


def _read_settings(path: str) -> dict[str, Any]:
    """Read the file, which is YAML.

    The plain `key: value` lines that MLflow writes need no library.
    """
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    lines = [line for line in text.splitlines() if line.strip()]
    if not all(map(_is_plain, lines)):
        settings: dict[str, Any] = import_module("yaml").safe_load(text)
        return settings
    pairs = (line.partition(": ") for line in lines)
    return {key: _value(text) for key, _, text in pairs}


def _is_plain(line: str) -> bool:
    """Whether a line is `key: value`, without YAML's own syntax."""
    return ": " in line and not line.startswith((" ", "-", "?"))


def _value(text: str) -> Any:
    """Read a number, a boolean or a string."""
    try:
        return json.loads(text)
    except ValueError:
        if text.startswith("'"):
            return text[1:-1].replace("''", "'")
        return text
