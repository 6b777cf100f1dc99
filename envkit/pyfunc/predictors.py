"""What can be saved as a Python model: objects whose `predict` takes data, and functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from envkit.errors import InvalidArgument
from envkit.inside.author.type_hints import NOT_INPUTS

# Names of the base classes, of envkit and of MLflow, whose own `predict` only raises.
_BASES = ("PythonModel", "ChatModel", "ChatAgent", "ResponsesAgent")


def check(model: Any, subject: str) -> None:
    """Raise `InvalidArgument`, which begins with the subject, for what cannot predict."""
    if isinstance(model, type):
        raise InvalidArgument(
            f"{subject} must be an object, not a class; write {model.__name__}()."
        )
    if hasattr(model, "load_context") or hasattr(model, "predict"):
        _check_object(model, subject)
    elif callable(model):
        _check_function(model, subject)
    else:
        raise InvalidArgument(
            f"{subject} must be an object of a class derived from PythonModel, a function, or "
            f"the path of a Python file, not a {type(model).__name__}."
        )


def _check_object(model: Any, subject: str) -> None:
    predict = getattr(type(model), "predict", None) or getattr(model, "predict", None)
    for base in type(model).__mro__:
        is_base = base.__name__ in _BASES and base.__module__.startswith(("envkit.", "mlflow."))
        if is_base and base.__dict__.get("predict") is predict:
            predict = None
    if not callable(predict):
        raise InvalidArgument(f"{subject} has no `predict`; define it in {type(model).__name__}.")
    if not _inputs(model.predict):
        raise InvalidArgument(
            f"{subject}: `predict` of {type(model).__name__} takes no data; write "
            "predict(self, context, model_input, params=None)."
        )


def _check_function(function: Callable[..., Any], subject: str) -> None:
    count = len(_inputs(function))
    if count != 1:
        raise InvalidArgument(
            f"{subject} is a function, which must accept exactly one argument besides `params`; "
            f"found {count} arguments."
        )


def _inputs(function: Callable[..., Any]) -> list[str]:
    """Return the names of the parameters that may get data."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # a function of C without a signature
        return ["model_input"]
    return [name for name in parameters if name not in NOT_INPUTS]
