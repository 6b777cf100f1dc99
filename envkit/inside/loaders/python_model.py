"""In place of `mlflow.pyfunc.model`: a pickled Python object with `predict`, or a pickled function."""

from __future__ import annotations

import inspect
import os
import pickle
from importlib import import_module
from typing import Any, Mapping

COMPRESSIONS = {"lzma": "lzma", "bzip2": "bz2", "gzip": "gzip"}  # as the flavor names them: the module that reads them


class Context:
    """What a model's `load_context` and `predict` get.

    artifacts: absolute paths by name. model_config: the configuration that the model was saved with, or None.
    """

    def __init__(self, artifacts: Mapping[str, str], model_config: Any) -> None:
        self.artifacts = dict(artifacts)
        self.model_config = model_config


class PythonModel:
    """What `mlflow.pyfunc` calls: passes the context and parameters to a `predict` that takes them."""

    def __init__(self, model: Any, context: Context) -> None:
        self._is_function = not hasattr(model, "predict")
        self._model, self.context = model, context
        hints = None if self._is_function else getattr(model, "predict_type_hints", None)
        self._hint = getattr(hints, "input", None)
        self.takes_raw_inputs = self._hint is not None

    def predict(self, data: Any, params: Any = None) -> Any:
        """Predict."""
        if self._is_function:
            return self._model(data)
        return self._called(self._model.predict, data, params)

    def predict_stream(self, data: Any, params: Any = None) -> Any:
        """Predict piece by piece."""
        return self._called(self._model.predict_stream, data, params)

    def _called(self, function: Any, data: Any, params: Any) -> Any:
        names = inspect.signature(function).parameters
        data = self._as_hinted(data)
        keywords = {"params": params} if "params" in names else {}
        if "context" in names or len([name for name in names if name not in ("self", "params")]) == 2:
            return function(self.context, data, **keywords)
        return function(data, **keywords)

    def _as_hinted(self, data: Any) -> Any:
        """Give a data frame as the list that the model's type hint asks for."""
        form = str(self._hint).lower().replace("typing.", "")
        if not hasattr(data, "iloc") or not form.startswith("list["):
            return data
        if form.startswith("list[dict["):
            return data.to_dict(orient="records")
        if form == "list[str]":
            for column in data.columns:
                if isinstance(data[column].iloc[0], str):
                    return data[column].tolist()
            raise ValueError("the model takes a list of texts, and the input has no column of texts")
        return data


def load(path: str, request: Mapping[str, Any]) -> PythonModel:
    """Unpickle the model, then let it load its context. cloudpickle's `load` is pickle's."""
    conf = request["python_function"]
    module = COMPRESSIONS.get(conf.get("python_model_compression"))
    opener = import_module(module).open if module else open
    with opener(os.path.join(path, conf["python_model"]), "rb") as stream:
        model = pickle.load(stream)
    return with_context(model, path, conf)


def with_context(model: Any, path: str, conf: Mapping[str, Any]) -> PythonModel:
    """Let a model load its context: its artifacts and its configuration."""
    saved = conf.get("artifacts") or {}
    artifacts = {name: os.path.join(path, each["path"]) for name, each in saved.items()}
    context = Context(artifacts, conf.get("config"))
    load_context = getattr(model, "load_context", None)
    if load_context is not None:
        load_context(context)
    return PythonModel(model, context)
