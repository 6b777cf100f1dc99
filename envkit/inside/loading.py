"""Loading a model and calling it, as `mlflow.pyfunc` does (MLflow 3.17)."""

from __future__ import annotations

import inspect
import os
import sys
from typing import Any, Callable, Iterable, Mapping

from .author import fake_mlflow
from .bytecode import keep_bytecode_out_of
from .data.requests.model_input import RequestReader
from .loaders import loader_for
from .request import Request


class Model:
    """A loaded model.

    implementation: what its loader returned. read_raw: makes its input of the JSON values of
    `inputs`, because its type hints define its input, or it takes them as they are; None if its
    signature does that. reader: the model, if it reads requests itself.
    """

    def __init__(self, implementation: Any, function: str, streamable: bool = False) -> None:
        self.implementation = implementation
        self.read_raw: Callable[[Any], Any] | None = None
        if getattr(implementation, "takes_raw_inputs", False):
            self.read_raw = implementation.read_raw
        self.reader: RequestReader | None = None
        if isinstance(implementation, RequestReader):
            self.reader = implementation
        self._predict: Callable[..., Any] = getattr(implementation, function)
        self._stream: Callable[..., Any] | None = None
        if streamable:
            self._stream = getattr(implementation, "predict_stream", None)

    @property
    def streams(self) -> bool:
        """Whether it can predict piece by piece."""
        return self._stream is not None

    def predict(self, data: Any, params: Mapping[str, Any] | None) -> Any:
        """Predict; `params` are passed to a function that has a parameter of that name."""
        return _call(self._predict, data, params)

    def predict_stream(self, data: Any, params: Mapping[str, Any] | None) -> Iterable[Any]:
        """Predict piece by piece. Raises `TypeError` for a model that cannot."""
        if self._stream is None:
            raise TypeError("the model has no `predict_stream`")
        pieces: Iterable[Any] = _call(self._stream, data, params)
        return pieces


def _call(function: Callable[..., Any], data: Any, params: Mapping[str, Any] | None) -> Any:
    """Call a function of a model, with `params` only if it takes them."""
    parameter = inspect.signature(function).parameters.get("params")
    if parameter is not None and parameter.kind is not parameter.VAR_KEYWORD:
        return function(data, params=params)
    return function(data)


def load(request: Request) -> Model:
    """Load the model of a request, with a stand-in for MLflow; raises whatever its code raises."""
    fake_mlflow.supply(without_mlflow=bool(request.get("without_mlflow")))
    return load_here(request)


def load_here(request: Request) -> Model:
    """Load the model of a request into a program that has other things to do, too."""
    conf = request["python_function"]
    folder = request["model"]
    keep_bytecode_out_of(folder)
    if conf.get("code"):
        sys.path.insert(0, os.path.join(folder, conf["code"]))
    if conf.get("data"):
        data = os.path.join(folder, conf["data"])
    else:
        data = folder
    implementation = loader_for(conf["loader_module"])(data, request)
    function = conf.get("predict_fn") or "predict"
    return Model(implementation, function, bool(conf.get("streamable")))
