"""`set_model`: declare the model of a file of code.

https://mlflow.org/docs/latest/ml/model/models-from-code/
"""

from __future__ import annotations

from typing import Any

from envkit.errors import InvalidArgument
from envkit.inside.author import registry


def set_model(model: Any) -> None:
    """Declare the model in a file that is saved with `save_model(python_model="file.py")`.

    Corresponds to `mlflow.models.set_model`. The declaration holds for the current thread or
    asyncio task only.

    Args:
        model: An object with `predict`, or a function.

    Raises:
        InvalidArgument: If it is anything else.
    """
    try:
        registry.register(model)
    except TypeError as error:
        raise InvalidArgument(f"{error}.") from error
