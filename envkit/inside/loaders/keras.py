"""Stands in for `mlflow.keras`: a model of Keras 3, or of Keras 2 as MLflow 1.x saved it.

Needs: keras (or tensorflow) and its backend; cloudpickle for custom classes.
Takes: a data frame, an array, a list or a dictionary of arrays.
Returns: a data frame for a data frame, else arrays.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from ..request import Flavor, Request
from .native import NativeModel

CUSTOM_OBJECTS = (
    "global_custom_objects.cloudpickle",
    "custom_objects.cloudpickle",
)
SUFFIXES = (".keras", ".h5", "")


class KerasModel(NativeModel):
    """What `mlflow.pyfunc` calls."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow ignores them, too
        """Predict; an exported model answers through its endpoint `serve`."""
        predict = getattr(self.model, "predict", None) or self.model.serve
        if hasattr(data, "iloc"):
            answer = as_array(predict(data.values))
            return import_module("pandas").DataFrame(answer, index=data.index)
        return as_array(predict(data))


def load(path: str, request: Request) -> KerasModel:  # noqa: ARG001 - as the other loaders
    """Load the model."""
    return KerasModel(load_native(request["model"], request["flavors"]["keras"]))


def load_native(folder: str, flavor: Flavor, **options: Any) -> Any:
    """Load the model of a model directory. options: those of Keras' `load_model`."""
    path = os.path.join(folder, flavor.get("data", "model"))
    if flavor.get("save_exported_model"):
        return import_module("tensorflow").saved_model.load(os.path.join(path, "model"))
    return read(path, flavor.get("keras_module", "keras"), options)


def read(path: str, module: str, options: Mapping[str, Any]) -> Any:
    """Read a Keras model: a file, or a folder with one and with custom classes.

    path: may lack the suffix. module: Keras' name. options: those of its `load_model`. Models are
    compiled unless they are in HDF5 files, which do not have custom losses.
    """
    custom_objects = {
        **_custom_objects(path),
        **(options.get("custom_objects") or {}),
    }
    file = _model_file(path)
    arguments = {
        "compile": not file.endswith(".h5"),
        **options,
        "custom_objects": custom_objects,
    }
    return import_module(module + ".models").load_model(file, **arguments)


def _model_file(path: str) -> str:
    """Find the file of a model, whose suffix may be missing in its path."""
    if os.path.isdir(path):
        path = os.path.join(path, "model")
    for suffix in SUFFIXES:
        if os.path.exists(path + suffix):
            return path + suffix
    return path


def _custom_objects(path: str) -> dict[str, Any]:
    """Unpickle the custom classes that were saved with a model."""
    custom_objects: dict[str, Any] = {}
    for name in CUSTOM_OBJECTS:
        file = os.path.join(path, name)
        if os.path.isfile(file):
            with open(file, "rb") as stream:
                custom_objects.update(import_module("cloudpickle").load(stream))
    return custom_objects


def as_array(answer: Any) -> Any:
    """Convert tensors to arrays, also in lists, tuples and dictionaries."""
    if isinstance(answer, Mapping):
        return {name: as_array(item) for name, item in answer.items()}
    if isinstance(answer, (list, tuple)):
        return type(answer)(as_array(item) for item in answer)
    if hasattr(answer, "detach"):  # of PyTorch
        answer = answer.detach().cpu()
    if hasattr(answer, "numpy"):
        return answer.numpy()
    return import_module("numpy").asarray(answer)
