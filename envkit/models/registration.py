"""`set_model`: the model that a file of code is about.

https://mlflow.org/docs/latest/ml/model/models-from-code/
"""

from __future__ import annotations

from typing import Any

from envkit.errors import InvalidArgument
from envkit.inside.author import registry


def set_model(model: Any) -> None:
    """Say, in a file that a model is saved as, which object is the model: one with `predict`, or a function.

    What one thread or task registers no other sees. Raises `InvalidArgument` for anything else.
    """
    try:
        registry.register(model)
    except TypeError as error:
        raise InvalidArgument(f"{error}.") from error
