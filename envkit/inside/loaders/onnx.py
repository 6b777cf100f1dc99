"""Stands in for `mlflow.onnx`: a graph that onnxruntime runs.

Needs: onnxruntime; onnx for the graph itself.
Takes: a data frame, an array, or a dictionary of arrays.
Returns: every output by its name: a data frame for a data frame, else a dictionary of arrays.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from ..request import Flavor, Request
from .native import NativeModel

CPU = "CPUExecutionProvider"
PROVIDERS = ("CUDAExecutionProvider", CPU)
THREAD_OPTIONS = ("inter_op_num_threads", "intra_op_num_threads")


class Graph(NativeModel):
    """What `mlflow.pyfunc` calls. model: onnxruntime's session."""

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        self._types = {node.name: node.type for node in session.get_inputs()}
        self._outputs = [node.name for node in session.get_outputs()]

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow ignores them, too
        """Predict; 64-bit floats become 32-bit ones where the graph takes those."""
        inputs = {}
        for name, value in self._inputs(data).items():
            inputs[name] = self._with_type(name, value)
        values = self.model.run(self._outputs, inputs)
        answers = dict(zip(self._outputs, values))  # noqa: B905 - Python 3.8
        if not hasattr(data, "iloc"):
            return answers
        asarray = import_module("numpy").asarray
        columns = {}
        for name, answer in answers.items():
            columns[name] = asarray(answer).reshape(-1)
        return import_module("pandas").DataFrame.from_dict(columns)

    def _inputs(self, data: Any) -> dict[str, Any]:
        """Bring the data into the form of the graph: arrays by the names of its inputs."""
        if isinstance(data, Mapping):
            return dict(data)
        is_frame = hasattr(data, "iloc")
        if is_frame and len(self._types) > 1:
            return {name: data[name].values for name in self._types}
        if not is_frame and not hasattr(data, "dtype"):
            raise TypeError(
                "the model takes a dictionary, an array or a data frame, "
                f"not a {type(data).__name__}"
            )
        if len(self._types) > 1:
            names = ", ".join(self._types)
            raise ValueError(f"the model takes {len(self._types)} inputs by name: {names}")
        (name,) = self._types
        if is_frame:
            return {name: data.values}
        return {name: data}

    def _with_type(self, name: str, value: Any) -> Any:
        """Give 64-bit floats the type of an input of 32-bit floats."""
        is_double = str(getattr(value, "dtype", "")) == "float64"
        if is_double and self._types.get(name) == "tensor(float)":
            return value.astype("float32")
        return value


def load(path: str, request: Request) -> Graph:  # noqa: ARG001 - as the other loaders
    """Make a session with the flavor's providers that are available, else with the CPU's."""
    flavor = request["flavors"]["onnx"]
    runtime = import_module("onnxruntime")
    file = os.path.join(request["model"], flavor["data"])
    session = runtime.InferenceSession(
        file,
        sess_options=_session_options(runtime, flavor.get("onnx_session_options") or {}),
        providers=_providers(runtime, flavor.get("providers") or PROVIDERS),
    )
    return Graph(session)


def load_native(folder: str, flavor: Flavor) -> Any:
    """Load the graph of a model directory, and check it."""
    onnx = import_module("onnx")
    path = os.path.join(folder, flavor["data"])
    onnx.checker.check_model(path)
    return onnx.load(path)


def _providers(runtime: Any, requested: Any) -> list[Any]:
    """Give the requested providers that are available.

    Each is a name, or a list of name and options.
    """
    available = set(runtime.get_available_providers())
    if isinstance(requested, str):
        requested = [requested]
    providers: list[Any] = []
    for provider in requested:
        name = provider if isinstance(provider, str) else provider[0]
        if name not in available:
            continue
        if isinstance(provider, list):
            provider = tuple(provider)
        providers.append(provider)
    return providers or [CPU]


def _session_options(runtime: Any, settings: Mapping[str, Any]) -> Any:
    """Set the flavor's settings."""
    options = runtime.SessionOptions()
    for name in THREAD_OPTIONS:
        if settings.get(name):
            setattr(options, name, settings[name])
    if settings.get("execution_mode"):
        name = f"ORT_{settings['execution_mode'].upper()}"
        options.execution_mode = getattr(runtime.ExecutionMode, name)
    if settings.get("graph_optimization_level"):
        level = runtime.GraphOptimizationLevel(settings["graph_optimization_level"])
        options.graph_optimization_level = level
    for key, value in (settings.get("extra_session_config") or {}).items():
        options.add_session_config_entry(key, value)
    return options
