"""In place of `mlflow.tensorflow`: a Keras model of TensorFlow, a `tf.Module`, or an estimator of TensorFlow 1."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from .keras import KerasModel, as_array, read
from .native import Native


class Module(Native):
    """A `tf.Module`, which is called with one tensor."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Predict on an array or a list."""
        if not isinstance(data, list) and not hasattr(data, "dtype"):
            raise TypeError(f"the model takes an array or a list, not a {type(data).__name__}")
        return as_array(self.model(import_module("tensorflow").convert_to_tensor(data)))


class Estimator(Native):
    """A saved model of TensorFlow 1, whose signature takes tensors by name."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Predict on a dictionary of arrays or a data frame, and give the same."""
        constant, array = import_module("tensorflow").constant, import_module("numpy").array
        is_frame = hasattr(data, "iloc")
        feed = {
            name: constant(array(data[name].to_list()) if is_frame else data[name]) for name in data
        }
        answers = {name: _column(each.numpy()) for name, each in self.model(**feed).items()}
        if is_frame:
            return import_module("pandas").DataFrame.from_dict(answers)
        return answers


def load(path: str, request: Mapping[str, Any]) -> Native:  # noqa: ARG001 - as the other loaders
    """Load the model."""
    flavors = request["flavors"]
    flavor = flavors.get("tensorflow") or flavors["keras"]
    model = load_native(request["model"], flavor)
    return {"keras": KerasModel, "tf2-module": Module, "tf1-estimator": Estimator}[_kind(flavor)](
        model
    )


def load_native(
    folder: str,
    flavor: Mapping[str, Any],
    keras_options: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Any:
    """Give the model of a model directory; of an estimator the function of its signature.

    keras_options: those of `load_model` of Keras. options: those of `tf.saved_model.load`.
    """
    tensorflow = import_module("tensorflow")
    kind = _kind(flavor)
    if kind == "keras":
        path = os.path.join(folder, flavor.get("data", "model"))
        return read(path, flavor.get("keras_module", "tensorflow.keras"), keras_options or {})
    saved = os.path.join(folder, flavor["saved_model_dir"])
    if kind == "tf2-module":
        return tensorflow.saved_model.load(saved, **(options or {}))
    loaded = tensorflow.saved_model.load(saved, tags=flavor.get("meta_graph_tags"))
    function = loaded.signatures[flavor["signature_def_key"]]
    function.keeps = loaded  # it dies with what it was loaded from
    return function


def _kind(flavor: Mapping[str, Any]) -> str:
    """What was saved; MLflow before 2.0 did not say."""
    if flavor.get("model_type"):
        return str(flavor["model_type"])
    if "meta_graph_tags" in flavor:
        return "tf1-estimator"
    return "keras"


def _column(values: Any) -> Any:
    is_column = values.ndim == 1 or all(len(each) == 1 for each in values)
    if is_column:
        return values.ravel()
    return values.tolist()
