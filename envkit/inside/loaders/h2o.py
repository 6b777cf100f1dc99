"""In place of `mlflow.h2o`: a model that H2O's server, a Java program, keeps."""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any, Mapping

from .native import Native

SETTINGS = "h2o.yaml"


class ServedModel(Native):
    """What `mlflow.pyfunc` calls: takes and gives data frames."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Predict."""
        answer = self.model.predict(import_module("h2o").H2OFrame(data)).as_data_frame()
        answer.index = data.index
        return answer


def load(path: str, request: Mapping[str, Any]) -> ServedModel:  # noqa: ARG001 - as the other loaders
    """Start a server, or join the one that runs, and load the model."""
    return ServedModel(load_native(request["model"], request["flavors"]["h2o"], start=True))


def load_native(folder: str, flavor: Mapping[str, Any], *, start: bool = False) -> Any:
    """Give the model of a model directory, loaded into the server; start: join or start one first."""
    h2o = import_module("h2o")
    data = os.path.join(folder, flavor.get("data", "model.h2o"))
    settings = _settings(os.path.join(data, SETTINGS))
    if start:
        h2o.init(**(settings.get("init") or {}))
        h2o.no_progress()
    return h2o.upload_model(os.path.join(data, settings["model_file"]))


def _settings(path: str) -> dict[str, Any]:
    """Read the file, which is YAML; the plain `key: value` lines that MLflow writes need no library."""
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    lines = [line for line in text.splitlines() if line.strip()]
    if any(line.startswith((" ", "-", "?")) or ": " not in line for line in lines):
        found: dict[str, Any] = import_module("yaml").safe_load(text)
        return found
    return {key: _plain(value) for key, _, value in (line.partition(": ") for line in lines)}


def _plain(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        if value.startswith("'"):
            return value[1:-1].replace("''", "'")
        return value
