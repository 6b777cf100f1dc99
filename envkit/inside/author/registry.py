"""The model that a file of code registers with `set_model`, for whoever runs the code.

Each thread, and each asynchronous task, has its own, so that several models can be made at once.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Callable

_NONE = object()
_registered: ContextVar[Any] = ContextVar("envkit_model", default=_NONE)


def register(model: Any) -> None:
    """Register the model of the code that is running.

    Raises `TypeError` for what cannot be called.
    """
    is_class = isinstance(model, type)
    if is_class or isinstance(model, str) or not (callable(model) or hasattr(model, "predict")):
        kind = f"the class {model.__name__}" if is_class else f"a {type(model).__name__}"
        raise TypeError(
            f"set_model takes a model: a function, or an object with `predict`, not {kind}"
        )
    _registered.set(model)


def registered_by(run: Callable[[], Any]) -> Any:
    """Run code and give the model that it registered; None when it registered none."""
    token = _registered.set(_NONE)
    try:
        run()
        model = _registered.get()
    finally:
        _registered.reset(token)
    if model is _NONE:
        return None
    return model
