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
from ...author.type_hints import HintMismatch, conform, defines_input, takes_context, type_hints
from ...data.requests.text import parse_json, read_file
from ...data.signature import InvalidInput
from ...pickles import refuse_if_forbidden
from ...request import Flavor, Request

Context = base_classes.PythonModelContext

COMPRESSIONS = {
    "lzma": "lzma",
    "bzip2": "bz2",
    "gzip": "gzip",
}
"""The module that reads a compressed pickle, by the flavor's name for the compression."""

ROW_HINTS = ("list[str]", "list[dict[str, str]]")
"""What MLflow before 2.20 converts a data frame to; it ignores all other hints."""


class PythonModel:
    """What `mlflow.pyfunc` calls: passes the context and parameters to a `predict` that takes them.

    python_model: what its author wrote.
    """

    def __init__(
        self, model: Any, context: Context, *, is_signature_from_hint: bool = False
    ) -> None:
        self.context = context
        self.example: Any = None  # a list, if the input has the form of the example
        if hasattr(model, "predict"):
            function = getattr(model, "func", None)  # of MLflow's model of a function, and ours
            self._model = model
        else:
            function = model
            self._model = base_classes.FunctionModel(model)
        self.python_model = model if function is None else function
        hints = getattr(self._model, "predict_type_hints", None)
        if hints is None:  # a model of MLflow before 2.20
            self._hint = None
            self._row_hint = _text_of(type_hints(function or self._model.predict).input)
        else:
            self._hint = hints.input if defines_input(hints.input) else None
            self._row_hint = ""
        self.takes_raw_inputs = is_signature_from_hint

    def read_raw(self, value: Any) -> Any:
        """Convert JSON values to the type that the hint names. Raises `InvalidInput`."""
        return self._conforming(value, from_text=True)

    def predict(self, data: Any, params: Any = None) -> Any:
        """Predict."""
        return self._call(self._model.predict, data, params)

    def predict_stream(self, data: Any, params: Any = None) -> Any:
        """Predict piece by piece."""
        return self._call(self._model.predict_stream, data, params)

    def _call(self, function: Any, data: Any, params: Any) -> Any:
        """Call a function of the model with the arguments that it takes."""
        data = self._conforming(_rows(data, self._row_hint))
        if isinstance(self.example, list):
            data = _list_like(data, self.example)
        keywords = {}
        if "params" in inspect.signature(function).parameters:
            keywords["params"] = params
        if takes_context(function):
            return function(self.context, data, **keywords)
        return function(data, **keywords)

    def _conforming(self, data: Any, *, from_text: bool = False) -> Any:
        """Bring data to the type hint of the model, if that defines its input."""
        if self._hint is None:
            return data
        try:
            return conform(data, self._hint, from_text=from_text)
        except HintMismatch as error:
            raise InvalidInput(str(error)) from error


def load(path: str, request: Request) -> PythonModel:
    """Unpickle the model, then let it load its context."""
    return with_context(unpickle(path, request["python_function"]), path, request)


def unpickle(path: str, conf: Flavor) -> Any:
    """Read the pickle that the flavor names. cloudpickle's `load` is pickle's."""
    refuse_if_forbidden(conf["python_model"])
    module = COMPRESSIONS.get(str(conf.get("python_model_compression")))
    opener = import_module(module).open if module else open
    with opener(os.path.join(path, conf["python_model"]), "rb") as stream:
        return pickle.load(stream)


def with_context(model: Any, path: str, request: Request) -> PythonModel:
    """Let a model load its context, and wrap it."""
    context = context_of(path, request["python_function"])
    load_context = getattr(model, "load_context", None)
    if load_context is not None:
        load_context(context)
    from_hint = bool(request.get("is_signature_from_type_hint"))
    wrapped = PythonModel(model, context, is_signature_from_hint=from_hint)
    if request.get("type_hint_from_example"):
        wrapped.example = _example(request["model"])
    return wrapped


def context_of(path: str, conf: Flavor) -> Context:
    """Make the context of a model: its artifacts and its configuration."""
    artifacts = {}
    for name, artifact in (conf.get("artifacts") or {}).items():
        artifacts[name] = os.path.join(path, artifact["path"])
    return Context(artifacts, conf.get("config"))


def _example(folder: str) -> Any:
    """Read the example of a model directory without its parameters; None if there is none."""
    path = os.path.join(folder, "input_example.json")
    if not os.path.exists(path):
        return None
    value = parse_json(read_file(path))
    if isinstance(value, dict) and set(value) == {"inputs", "params"}:
        return value["inputs"]
    return value


def _list_like(data: Any, example: list[Any]) -> Any:
    """Convert a data frame to a list like the example: of the values of a column, or of rows."""
    if not hasattr(data, "iloc") or not hasattr(data, "columns"):
        return data
    has_values = not any(isinstance(item, (dict, list)) for item in example)
    if has_values and len(data.columns) == 1:
        return data.iloc[:, 0].tolist()
    return data.to_dict(orient="records")


def _rows(data: Any, hint: str) -> Any:
    """Convert a data frame as MLflow before 2.20 does, for the two hints that it knows."""
    if hint not in ROW_HINTS or not hasattr(data, "iloc"):
        return data
    if hint != "list[str]":
        return data.to_dict(orient="records")
    for name in data.columns:
        if isinstance(data[name].iloc[0], str):
            return data[name].tolist()
    raise ValueError("the model takes a list of strings, and the input has no column of strings")


def _text_of(hint: Any) -> str:
    """Spell a hint the same for `list` and `typing.List`."""
    return str(hint).lower().replace("typing.", "")
