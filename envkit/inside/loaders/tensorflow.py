"""Stands in for `mlflow.tensorflow`: a Keras model, a `tf.Module`, or an estimator.

Needs: tensorflow.
Takes: an array or a list; an estimator (of TensorFlow 1) a dictionary of arrays or a data frame; a
Keras model all of them.
Returns: arrays, or a data frame for a data frame.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from ..request import Flavor, Request
from .keras import KerasModel, as_array, read
from .native import NativeModel

KERAS, MODULE, ESTIMATOR = "keras", "tf2-module", "tf1-estimator"


class Module(NativeModel):
    """A `tf.Module`, which is called with one tensor."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow ignores them, too
        """Predict on an array or a list."""
        if not isinstance(data, list) and not hasattr(data, "dtype"):
            raise TypeError(f"the model takes an array or a list, not a {type(data).__name__}")
        tensor = import_module("tensorflow").convert_to_tensor(data)
        return as_array(self.model(tensor))


class Estimator(NativeModel):
    """A saved model of TensorFlow 1, whose signature takes tensors by name."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow ignores them, too
        """Predict on a dictionary of arrays or a data frame, and return the same."""
        constant = import_module("tensorflow").constant
        array = import_module("numpy").array
        is_frame = hasattr(data, "iloc")
        inputs = {}
        for name in data:
            values = data[name].to_list() if is_frame else data[name]
            inputs[name] = constant(array(values))
        outputs = self.model(**inputs)
        answers = {name: _column(tensor.numpy()) for name, tensor in outputs.items()}
        if is_frame:
            return import_module("pandas").DataFrame.from_dict(answers)
        return answers


def load(path: str, request: Request) -> NativeModel:  # noqa: ARG001 - as the other loaders
    """Load the model."""
    flavors = request["flavors"]
    flavor = flavors.get("tensorflow") or flavors["keras"]
    model = load_native(request["model"], flavor)
    return CLASSES[_kind(flavor)](model)


def load_native(
    folder: str,
    flavor: Flavor,
    keras_options: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Any:
    """Load the model of a model directory; of an estimator the function of its signature.

    keras_options: those of Keras' `load_model`. options: those of `tf.saved_model.load`.
    """
    tensorflow = import_module("tensorflow")
    kind = _kind(flavor)
    if kind == KERAS:
        path = os.path.join(folder, flavor.get("data", "model"))
        return read(
            path,
            flavor.get("keras_module", "tensorflow.keras"),
            keras_options or {},
        )
    saved = os.path.join(folder, flavor["saved_model_dir"])
    if kind == MODULE:
        return tensorflow.saved_model.load(saved, **(options or {}))
    loaded = tensorflow.saved_model.load(saved, tags=flavor.get("meta_graph_tags"))
    function = loaded.signatures[flavor["signature_def_key"]]
    function.keeps = loaded  # the function works only as long as what it was loaded from exists
    return function


def _kind(flavor: Flavor) -> str:
    """Say what was saved; MLflow before 2.0 did not write it."""
    if flavor.get("model_type"):
        return str(flavor["model_type"])
    if "meta_graph_tags" in flavor:
        return ESTIMATOR
    return KERAS


def _column(values: Any) -> Any:
    """Flatten values with one number per row; others become lists."""
    if values.ndim == 1 or all(len(row) == 1 for row in values):
        return values.ravel()
    return values.tolist()


CLASSES = {
    KERAS: KerasModel,
    MODULE: Module,
    ESTIMATOR: Estimator,
}
