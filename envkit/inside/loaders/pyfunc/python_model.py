"""In place of `mlflow.pyfunc.model`: a pickled Python object with `predict`, or a pickled function."""

from __future__ import annotations

import inspect
import os
import pickle
from importlib import import_module
from typing import Any, Mapping

from ...author import base_classes
from ...data.signature import InvalidInput

Context = base_classes.PythonModelContext
# as the flavor names them: the module that reads them
COMPRESSIONS = {"lzma": "lzma", "bzip2": "bz2", "gzip": "gzip"}
# hints of their classes say nothing of a signature
TABLES = ("pandas.", "numpy.", "scipy.", "pyspark.", "polars.")


class PythonModel:
    """What `mlflow.pyfunc` calls: passes the context and parameters to a `predict` that takes them.

    python_model: what its author wrote.
    """

    def __init__(self, model: Any, context: Context) -> None:
        if not hasattr(model, "predict"):
            function = model
        else:
            function = getattr(model, "func", None)
        self.python_model = model if function is None else function
        self.context = context
        self._asked = base_classes.FunctionModel(model) if not hasattr(model, "predict") else model
        hints = getattr(self._asked, "predict_type_hints", None)
        self._hint = _telling(getattr(hints, "input", None))
        self.takes_raw_inputs = self._hint is not None
        # of MLflow before 2.20, which heeds two hints, and only where it has a data frame
        if hints is None:
            self._hint = _of_rows(base_classes.type_hints(function or self._asked.predict).input)

    def predict(self, data: Any, params: Any = None) -> Any:
        """Predict."""
        return self._called(self._asked.predict, data, params)

    def predict_stream(self, data: Any, params: Any = None) -> Any:
        """Predict piece by piece."""
        return self._called(self._asked.predict_stream, data, params)

    def _called(self, function: Any, data: Any, params: Any) -> Any:
        names = inspect.signature(function).parameters
        data = self._as_hinted(data)
        _check(data, self._hint)
        keywords = {"params": params} if "params" in names else {}
        if (
            "context" in names
            or len([name for name in names if name not in ("self", "params")]) == 2
        ):
            return function(self.context, data, **keywords)
        return function(data, **keywords)

    def _as_hinted(self, data: Any) -> Any:
        """Give a data frame as the list that the model's type hint asks for."""
        form = _form(self._hint)
        if not hasattr(data, "iloc") or not form.startswith("list["):
            return data
        if form.startswith("list[dict["):
            return data.to_dict(orient="records")
        if form == "list[str]":
            for column in data.columns:
                if isinstance(data[column].iloc[0], str):
                    return data[column].tolist()
            raise ValueError(
                "the model takes a list of texts, and the input has no column of texts"
            )
        return data


def _check(data: Any, hint: Any) -> None:
    """See whether the models of pydantic that a hint names can be made: if not, it is not the model that fails."""
    try:
        base_classes.converted(data, hint)
    except ValueError as error:  # as pydantic's is
        raise InvalidInput(str(error)) from error


def load(path: str, request: Mapping[str, Any]) -> Any:
    """Unpickle the model, then let it load its context."""
    conf = request["python_function"]
    return with_context(unpickle(path, conf), path, conf)


def unpickle(path: str, conf: Mapping[str, Any]) -> Any:
    """Read the pickle that the flavor names. cloudpickle's `load` is pickle's."""
    module = COMPRESSIONS.get(str(conf.get("python_model_compression")))
    opener = import_module(module).open if module else open
    with opener(os.path.join(path, conf["python_model"]), "rb") as stream:
        return pickle.load(stream)


def with_context(model: Any, path: str, conf: Mapping[str, Any]) -> PythonModel:
    """Let a model load its context."""
    context = context_of(path, conf)
    load_context = getattr(model, "load_context", None)
    if load_context is not None:
        load_context(context)
    return PythonModel(model, context)


def context_of(path: str, conf: Mapping[str, Any]) -> Context:
    """Give its artifacts and its configuration."""
    saved = conf.get("artifacts") or {}
    artifacts = {name: os.path.join(path, each["path"]) for name, each in saved.items()}
    return Context(artifacts, conf.get("config"))


def _of_rows(hint: Any) -> Any:
    """The hint, if it says in what form the rows of a data frame are wanted."""
    if _form(hint) in ("list[str]", "list[dict[str, str]]"):
        return hint
    return None


def _form(hint: Any) -> str:
    return str(hint).lower().replace("typing.", "")


def _telling(hint: Any) -> Any:
    """The hint, if a signature can follow from it."""
    module = f"{getattr(hint, '__module__', '')}."
    silent = hint is Any or hint is inspect.Parameter.empty or module.startswith(TABLES)
    if silent:
        return None
    return hint
