"""Pickles of an author's model that need neither envkit nor MLflow where they are read."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cloudpickle

from envkit.errors import InvalidArgument
from envkit.inside.author import base_classes, chat

_BY_VALUE = (base_classes, chat)
_registering = threading.Lock()  # what is pickled by value is a setting of the whole process


def dump(model: Any, path: Path) -> None:
    """Pickle a model with everything of envkit's that it is derived from; code of `__main__` goes along, too.

    Raises `InvalidArgument` for what cannot be pickled.
    """
    with _registering, path.open("wb") as stream:
        for module in _BY_VALUE:
            cloudpickle.register_pickle_by_value(module)
        try:
            cloudpickle.dump(model, stream)
        except Exception as error:  # whatever the author's objects raise when they are pickled
            raise InvalidArgument(
                f"The model cannot be pickled ({type(error).__name__}: {error}). Save it as code: "
                "python_model='file.py', a file that calls `set_model`."
            ) from error
        finally:
            for module in _BY_VALUE:
                cloudpickle.unregister_pickle_by_value(module)
