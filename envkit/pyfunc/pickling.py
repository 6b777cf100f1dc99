"""Pickle an author's model so that reading it needs neither envkit nor MLflow."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cloudpickle

from envkit.errors import InvalidArgument
from envkit.inside.author import base_classes, chat, type_hints

_BY_VALUE = (base_classes, chat, type_hints)
# Which modules are pickled by value is a setting of the whole process.
_registering = threading.Lock()


def dump(model: Any, path: Path) -> None:
    """Pickle a model with the base classes of envkit and the code of `__main__` that it uses.

    Raises `InvalidArgument` if it cannot be pickled.
    """
    with _registering, path.open("wb") as stream:
        for module in _BY_VALUE:
            cloudpickle.register_pickle_by_value(module)
        try:
            cloudpickle.dump(model, stream)
        # The author's objects may raise anything.
        except Exception as error:
            raise InvalidArgument(
                f"The model cannot be pickled ({type(error).__name__}: {error}). Save it as code: "
                "python_model='file.py', a file that calls `set_model`."
            ) from error
        finally:
            for module in _BY_VALUE:
                cloudpickle.unregister_pickle_by_value(module)
