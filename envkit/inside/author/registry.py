"""The model that a file of code registers: models from code call `set_model`, and whoever runs the code takes it.

Each thread, and each asynchronous task, has its own, so that several models can be made at once.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Callable

_NONE = object()
_registered: ContextVar[Any] = ContextVar("envkit_model", default=_NONE)


def register(model: Any) -> None:
    """Make `model` the one that the code which runs has. Raises `TypeError` for what nothing could call."""
    if isinstance(model, str) or not (callable(model) or hasattr(model, "predict")):
        raise TypeError(
            f"set_model takes a model: an object with `predict`, or a function, not a {type(model).__name__}"
        )
    _registered.set(model)


def registered_by(run: Callable[[], Any]) -> Any:
    """Run code, and give the model that it registered; None when it registered none."""
    token = _registered.set(_NONE)
    try:
        run()
        found = _registered.get()
        if found is _NONE:
            return None
        return found
    finally:
        _registered.reset(token)
