"""Models of TensorFlow's Keras, a `tf.Module`, and a SavedModel of a TensorFlow 1 estimator."""

from __future__ import annotations

import json
import platform
import sys
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import tensorflow as tf

from tests.flavors.case import Case

from . import data
from .keras import by_name, model, own

EXAMPLE = "input_example.json"
for module in (
    own.__module__,
    __name__,
):  # MLflow pickles all classes that are registered with Keras, also if a model does not use them
    cloudpickle.register_pickle_by_value(sys.modules[module])


class Line(tf.Module):
    """Maps two numbers to one."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = tf.Variable([[2.0], [-1.0]])

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def __call__(self, values: Any) -> Any:
        return tf.matmul(values, self.weights)


class Several(Line):
    """Maps two numbers to two answers."""

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def __call__(self, values: Any) -> Any:
        return {"line": tf.matmul(values, self.weights), "all": [values, values + 1]}


class Named(tf.Module):
    """Maps two named columns to two."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float64, "a"),
            tf.TensorSpec([None], tf.float64, "b"),
        ]
    )
    def served(self, a: Any, b: Any) -> Any:
        return {"sum": tf.expand_dims(a + b, 1), "both": tf.stack([a, b], axis=1)}


class Halved(tf.keras.layers.Layer):
    """Not registered with Keras."""

    def call(self, values: Any) -> Any:
        return values / 2


def cases() -> list[Case]:
    rows = data.example().to_numpy().astype(np.float32)
    inputs = {"a": rows[:, :1], "b": rows[:, 1:]}
    h5 = {"keras_model_kwargs": {"save_format": "h5"}}
    return [
        Case(name="Keras", make=partial(model, tf.keras), example=rows),
        Case(name="inputs by name", make=partial(by_name, tf.keras), example=inputs),
        Case(name="registered layer", make=own, example=rows),
        Case(
            name="custom_objects",
            make=halved,
            example=rows,
            options={"custom_objects": {"Halved": Halved}},
        ),
        Case(
            name="HDF5", make=partial(by_name, tf.keras), example=inputs, options=h5
        ),  # not compiled, as MLflow requires
        Case(name="tf.Module", make=Line, example=rows),
        Case(name="tf.Module, several answers", make=Several, example=rows),
        Case(name="estimator of MLflow 1", by_hand=estimator, example=data.example()),
    ]


def halved() -> Any:
    """A model with a layer that is not registered."""
    tf.keras.utils.set_random_seed(0)
    layers = tf.keras.layers
    return tf.keras.Sequential([layers.Input((2,)), Halved(), layers.Dense(1)])


def estimator(folder: Path) -> None:
    """Write a SavedModel with a signature, described as MLflow 1 did."""
    module = Named()
    tf.saved_model.save(module, str(folder / "tfmodel"), signatures={"predict": module.served})
    fields = {
        "saved_model_dir": "tfmodel",
        "meta_graph_tags": ["serve"],
        "signature_def_key": "predict",
    }
    function = {"loader_module": "mlflow.tensorflow", "python_version": platform.python_version()}
    described = {
        "flavors": {"python_function": {**function, "env": "conda.yaml"}, "tensorflow": fields},
        "saved_input_example_info": {
            "artifact_path": EXAMPLE,
            "type": "dataframe",
            "pandas_orient": "split",
        },
    }
    (folder / "MLmodel").write_text(json.dumps(described), encoding="utf-8")
    frame: pd.DataFrame = data.example()
    columns = {"columns": list(frame.columns), "data": frame.to_numpy().tolist()}
    (folder / EXAMPLE).write_text(json.dumps(columns), encoding="utf-8")
    request = json.dumps({"dataframe_split": columns})
    (folder / "serving_input_example.json").write_text(request, encoding="utf-8")
