"""In place of `mlflow.keras`: a model of Keras 3, or of Keras 2 as MLflow 1.x saved it."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from .native import Native


class KerasModel(Native):
    """What `mlflow.pyfunc` calls: takes a data frame, an array, a list or a dictionary of arrays."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Predict; an exported model answers through its endpoint `serve`."""
        ask = getattr(self.model, "predict", None) or self.model.serve
        if hasattr(data, "iloc"):
            return import_module("pandas").DataFrame(as_array(ask(data.values)), index=data.index)
        return as_array(ask(data))


def load(path: str, request: Mapping[str, Any]) -> KerasModel:  # noqa: ARG001 - as the other loaders
    """Load the model."""
    return KerasModel(load_native(request["model"], request["flavors"]["keras"]))


def load_native(folder: str, flavor: Mapping[str, Any], **options: Any) -> Any:
    """Give the model of a model directory. options: those of `load_model` of Keras."""
    base = os.path.join(folder, flavor.get("data", "model"))
    base = os.path.join(base, "model") if os.path.isdir(base) else base
    if flavor.get("save_exported_model"):
        return import_module("tensorflow").saved_model.load(base)
    file = next((base + suffix for suffix in (".keras", ".h5", "") if os.path.exists(base + suffix)), base)
    return import_module(flavor.get("keras_module", "keras")).models.load_model(file, **options)


def as_array(answer: Any) -> Any:
    """Give tensors as arrays, wherever they stand."""
    if isinstance(answer, Mapping):
        return {name: as_array(each) for name, each in answer.items()}
    if isinstance(answer, (list, tuple)):
        return type(answer)(as_array(each) for each in answer)
    if hasattr(answer, "detach"):
        answer = answer.detach().cpu()
    return answer.numpy() if hasattr(answer, "numpy") else import_module("numpy").asarray(answer)
