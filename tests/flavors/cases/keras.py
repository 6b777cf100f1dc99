"""A model of Keras 3."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tests.flavors.case import Case

from . import data


def cases() -> list[Case]:
    rows = data.example().to_numpy().astype(np.float32)
    without = {"input_example": None}  # MLflow writes it into a folder that it has not made
    return [
        Case(name="array", make=model, example=rows, mlflow=without),
        Case(name="data frame", make=model, example=data.example().astype(np.float32), mlflow=without),
    ]


def model() -> Any:
    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(3, "relu"), keras.layers.Dense(1)])
    made.compile(loss="mse", optimizer="sgd")
    return made
