"""In place of `mlflow.keras`: a model of Keras 3, or of Keras 2 as MLflow 1.x saved it."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from .native import Native

CUSTOM_OBJECTS = ("global_custom_objects.cloudpickle", "custom_objects.cloudpickle")


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
    path = os.path.join(folder, flavor.get("data", "model"))
    if flavor.get("save_exported_model"):
        return import_module("tensorflow").saved_model.load(os.path.join(path, "model"))
    return read(path, flavor.get("keras_module", "keras"), options)


def read(path: str, module: str, options: Mapping[str, Any]) -> Any:
    """Read a Keras model: a file, with or without its suffix, or a folder with one, and with own classes, pickled.

    module: Keras' own. options: those of its `load_model`, which compiles what is no HDF5: of that
    it knows no losses.
    """
    custom = {**_custom_objects(path), **(options.get("custom_objects") or {})}
    base = os.path.join(path, "model") if os.path.isdir(path) else path
    file = next(
        (base + suffix for suffix in (".keras", ".h5", "") if os.path.exists(base + suffix)), base
    )
    given = {"compile": not file.endswith(".h5"), **options, "custom_objects": custom}
    return import_module(module + ".models").load_model(file, **given)


def _custom_objects(path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in CUSTOM_OBJECTS:
        file = os.path.join(path, name)
        if os.path.isfile(file):
            with open(file, "rb") as stream:
                found.update(import_module("cloudpickle").load(stream))
    return found


def as_array(answer: Any) -> Any:
    """Give tensors as arrays, wherever they stand."""
    if isinstance(answer, Mapping):
        return {name: as_array(each) for name, each in answer.items()}
    if isinstance(answer, (list, tuple)):
        return type(answer)(as_array(each) for each in answer)
    if hasattr(answer, "detach"):
        answer = answer.detach().cpu()
    if hasattr(answer, "numpy"):
        return answer.numpy()
    return import_module("numpy").asarray(answer)
