"""A model of TensorFlow's Keras, and a `tf.Module`."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tests.flavors.case import Case

from . import data


class Line(tf.Module):
    """Two numbers to one."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = tf.Variable([[2.0], [-1.0]])

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def __call__(self, values: Any) -> Any:
        return tf.matmul(values, self.weights)


def cases() -> list[Case]:
    rows = data.example().to_numpy().astype(np.float32)
    return [
        Case(name="Keras", make=model, example=rows),
        Case(
            name="Keras, h5",
            make=model,
            example=rows,
            options={"keras_model_kwargs": {"save_format": "h5"}},
            loaded_by_mlflow=False,  # its `load_model` compiles, which Keras cannot; nor its own directories
        ),
        Case(name="tf.Module", make=Line, example=rows),
    ]


def model() -> Any:
    tf.keras.utils.set_random_seed(0)
    layers = tf.keras.layers
    made = tf.keras.Sequential([layers.Input((2,)), layers.Dense(3, "relu"), layers.Dense(1)])
    made.compile(loss="mse", optimizer="sgd")
    return made
