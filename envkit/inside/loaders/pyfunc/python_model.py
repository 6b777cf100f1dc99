"""Stands in for `mlflow.pyfunc.model`: a pickled object with `predict`, or a function.

Needs: what the model's own code needs.
Takes: what the type hint of its input defines, else data in the form of the signature.
Returns: what the model's own `predict` returns.
"""

from __future__ import annotations

import inspect
import os
import pickle
from importlib import import_module
from typing import Any

from ...author import base_classes
from ...data.signature import InvalidInput
from ...request import Flavor, Request

Context = base_classes.PythonModelContext

COMPRESSIONS = {
    "lzma": "lzma",
    "bzip2": "bz2",
    "gzip": "gzip",
}
"""The module that reads a compressed pickle, by the flavor's name for the compression."""

TABLE_LIBRARIES = ("pandas.", "numpy.", "scipy.", "pyspark.", "polars.")
"""Type hints of their classes do not define a signature."""

ROW_HINTS = ("list[str]", "list[dict[str, str]]")
"""What MLflow before 2.20 converts a data frame to; it ignores all other hints."""


class PythonModel:
    """What `mlflow.pyfunc` calls: passes the context and parameters to a `predict` that takes them.

    python_model: what its author wrote.
    """

    def __init__(self, model: Any, context: Context) -> None:
        self.context = context
        if hasattr(model, "predict"):
            function = getattr(model, "func", None)  # of MLflow's model of a function, and ours
            self._model = model
        else:
            function = model
            self._model = base_classes.FunctionModel(model)
        self.python_model = model if function is None else function
        hints = getattr(self._model, "predict_type_hints", None)
        self._hint = _hint_of_signature(getattr(hints, "input", None))
        self.takes_raw_inputs = self._hint is not None
        if hints is None:  # a model of MLflow before 2.20
            self._hint = _hint_of_rows(function or self._model.predict)

    def predict(self, data: Any, params: Any = None) -> Any:
        """Predict."""
        return self._call(self._model.predict, data, params)

    def predict_stream(self, data: Any, params: Any = None) -> Any:
        """Predict piece by piece."""
        return self._call(self._model.predict_stream, data, params)

    def _call(self, function: Any, data: Any, params: Any) -> Any:
        """Call a function of the model with the arguments that it takes."""
        names = list(inspect.signature(function).parameters)
        data = self._as_hinted(data)
        _check(data, self._hint)
        keywords = {"params": params} if "params" in names else {}
        inputs = [name for name in names if name not in ("self", "params")]
        if "context" in names or len(inputs) == 2:
            return function(self.context, data, **keywords)
        return function(data, **keywords)

    def _as_hinted(self, data: Any) -> Any:
        """Convert a data frame to the list that the model's type hint defines."""
        hint = _text_of(self._hint)
        if not hasattr(data, "iloc"):
            return data
        if hint.startswith("list[dict["):
            return data.to_dict(orient="records")
        if hint == "list[str]":
            return _first_text_column(data)
        return data


def load(path: str, request: Request) -> PythonModel:
    """Unpickle the model, then let it load its context."""
    conf = request["python_function"]
    return with_context(unpickle(path, conf), path, conf)


def unpickle(path: str, conf: Flavor) -> Any:
    """Read the pickle that the flavor names. cloudpickle's `load` is pickle's."""
    module = COMPRESSIONS.get(str(conf.get("python_model_compression")))
    opener = import_module(module).open if module else open
    with opener(os.path.join(path, conf["python_model"]), "rb") as stream:
        return pickle.load(stream)


def with_context(model: Any, path: str, conf: Flavor) -> PythonModel:
    """Let a model load its context, and wrap it."""
    context = context_of(path, conf)
    load_context = getattr(model, "load_context", None)
    if load_context is not None:
        load_context(context)
    return PythonModel(model, context)


def context_of(path: str, conf: Flavor) -> Context:
    """Make the context of a model: its artifacts and its configuration."""
    artifacts = {}
    for name, artifact in (conf.get("artifacts") or {}).items():
        artifacts[name] = os.path.join(path, artifact["path"])
    return Context(artifacts, conf.get("config"))


def _check(data: Any, hint: Any) -> None:
    """Raise `InvalidInput` if the models of pydantic that a hint names cannot be made."""
    try:
        base_classes.convert_to_hint(data, hint)
    except ValueError as error:  # the base class of pydantic's
        raise InvalidInput(str(error)) from error


def _first_text_column(frame: Any) -> Any:
    """Give the first column of a data frame that has strings."""
    for name in frame.columns:
        if isinstance(frame[name].iloc[0], str):
            return frame[name].tolist()
    raise ValueError("the model takes a list of strings, and the input has no column of strings")


def _hint_of_signature(hint: Any) -> Any:
    """Give the hint if it defines a signature, else None."""
    if hint is Any or hint is inspect.Parameter.empty:
        return None
    if f"{getattr(hint, '__module__', '')}.".startswith(TABLE_LIBRARIES):
        return None
    return hint


def _hint_of_rows(function: Any) -> Any:
    """Give the hint if it is one of `ROW_HINTS`, else None."""
    hint = base_classes.type_hints(function).input
    if _text_of(hint) in ROW_HINTS:
        return hint
    return None


def _text_of(hint: Any) -> str:
    """Spell a hint the same for `list` and `typing.List`."""
    return str(hint).lower().replace("typing.", "")
