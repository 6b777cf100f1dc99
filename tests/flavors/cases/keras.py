"""Models of Keras 3."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tests.flavors.case import Case

from . import data


def cases() -> list[Case]:
    rows = data.example().to_numpy().astype(np.float32)
    inputs = {"a": rows[:, :1], "b": rows[:, 1:]}
    without: dict[str, Any] = {
        "input_example": None
    }  # MLflow writes it into a folder that does not exist
    exported = {**without, "signature": _signature(rows)}  # MLflow needs it to export
    return [
        Case(name="array", make=model, example=rows, mlflow=without),
        Case(
            name="data frame", make=model, example=data.example().astype(np.float32), mlflow=without
        ),
        Case(name="inputs by name", make=by_name, example=inputs, mlflow=without),
        Case(
            name="registered layer",
            make=own,
            example=rows,
            saved_by_mlflow=False,
            loaded_by_mlflow=False,
        ),  # MLflow's flavor saves no code
        Case(
            name="exported",
            make=model,
            example=rows,
            options={"save_exported_model": True},
            mlflow=exported,
        ),
    ]


def model(keras: Any = keras) -> Any:
    keras.utils.set_random_seed(0)
    made = keras.Sequential(
        [keras.layers.Input((2,)), keras.layers.Dense(3, "relu"), keras.layers.Dense(1)]
    )
    made.compile(loss="mse", optimizer="sgd")
    return made


def by_name(keras: Any = keras) -> Any:
    keras.utils.set_random_seed(0)
    inputs = {name: keras.Input((1,), name=name) for name in ("a", "b")}
    joined = keras.layers.Concatenate()(list(inputs.values()))
    outputs = {
        "one": keras.layers.Dense(1, name="one")(joined),
        "two": keras.layers.Dense(2, name="two")(joined),
    }
    return keras.Model(inputs, outputs)


def own() -> Any:
    """A model with a layer of our own, whose code is saved with it."""
    import sys

    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.layers.Input((2,)), Twice(), keras.layers.Dense(1)])


@keras.utils.register_keras_serializable("ours")
class Twice(keras.layers.Layer):
    """Doubles."""

    def call(self, values: Any) -> Any:
        return values * 2


def _signature(rows: Any) -> Any:
    """A signature for MLflow, where that is installed."""
    try:
        from mlflow.models import infer_signature
    except ImportError:
        return None
    return infer_signature(rows)
