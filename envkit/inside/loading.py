"""Loading of a model and calling it, as `mlflow.pyfunc.load_model` and `PyFuncModel.predict` do (MLflow 3.17)."""

from __future__ import annotations

import inspect
import os
import sys
from typing import Any, Callable, Iterable, Mapping

from .author import fake_mlflow
from .data.payload import Reader
from .loaders import loader_for
from .tracing.bytecode import leave_no_trace_in


class Model:
    """A loaded model.

    implementation: what its loader gave. takes_raw_inputs: its type hints say what it takes, so
    `inputs` reach it as the JSON values they are. reader: the model, if it reads its requests
    itself.
    """

    def __init__(self, implementation: Any, function: str, streamable: bool = False) -> None:
        self.implementation = implementation
        self._predict: Callable[..., Any] = getattr(implementation, function)
        self._stream: Callable[..., Any] | None = (
            getattr(implementation, "predict_stream", None) if streamable else None
        )
        self.takes_raw_inputs = bool(getattr(implementation, "takes_raw_inputs", False))
        self.reader = implementation if isinstance(implementation, Reader) else None

    @property
    def streams(self) -> bool:
        """Whether it can predict piece by piece."""
        return self._stream is not None

    def predict(self, data: Any, params: Mapping[str, Any] | None) -> Any:
        """Predict; `params` are passed to a function that has a parameter of that name."""
        return _called(self._predict, data, params)

    def predict_stream(self, data: Any, params: Mapping[str, Any] | None) -> Iterable[Any]:
        """Predict piece by piece. Raises `TypeError` for a model that cannot."""
        if self._stream is None:
            raise TypeError("the model has no `predict_stream`")
        pieces: Iterable[Any] = _called(self._stream, data, params)
        return pieces


def _called(function: Callable[..., Any], data: Any, params: Mapping[str, Any] | None) -> Any:
    parameter = inspect.signature(function).parameters.get("params")
    if parameter is not None and parameter.kind is not parameter.VAR_KEYWORD:
        return function(data, params=params)
    return function(data)


def load(request: Mapping[str, Any]) -> Model:
    """Load the model of a request; raises whatever its code raises."""
    fake_mlflow.supply(without_mlflow=bool(request.get("without_mlflow")))
    return load_here(request)


def load_here(request: Mapping[str, Any]) -> Model:
    """The same, in a program that goes on to do other things."""
    conf = request["python_function"]
    model = request["model"]
    leave_no_trace_in(model)
    if conf.get("code"):
        sys.path.insert(0, os.path.join(model, conf["code"]))
    if conf.get("data"):
        data = os.path.join(model, conf["data"])
    else:
        data = model
    load_pyfunc = loader_for(conf["loader_module"])
    implementation = load_pyfunc(data, request)
    return Model(implementation, conf.get("predict_fn") or "predict", bool(conf.get("streamable")))
