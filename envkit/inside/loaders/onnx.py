"""In place of `mlflow.onnx`: a graph that onnxruntime runs."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

CPU = "CPUExecutionProvider"
PROVIDERS = ("CUDAExecutionProvider", CPU)


class Graph:
    """What `mlflow.pyfunc` calls: every output by its name, as columns when the input is a data frame."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self._types = {each.name: each.type for each in session.get_inputs()}
        self._outputs = [each.name for each in session.get_outputs()]

    def get_raw_model(self) -> Any:
        """Give onnxruntime's session."""
        return self.session

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Predict; 64-bit floats are given as 32-bit ones where the graph takes those."""
        feed = {name: self._as_taken(name, value) for name, value in self._feed(data).items()}
        answers = dict(zip(self._outputs, self.session.run(self._outputs, feed)))  # noqa: B905 - Python 3.8
        if not hasattr(data, "iloc"):
            return answers
        numpy = import_module("numpy")
        columns = {name: numpy.asarray(answer).reshape(-1) for name, answer in answers.items()}
        return import_module("pandas").DataFrame.from_dict(columns)

    def _feed(self, data: Any) -> dict[str, Any]:
        if isinstance(data, Mapping):
            return dict(data)
        if hasattr(data, "iloc") and len(self._types) > 1:
            return {name: data[name].values for name in self._types}
        if not hasattr(data, "iloc") and not hasattr(data, "dtype"):
            raise TypeError(
                f"the model takes a dictionary, an array or a data frame, not a {type(data).__name__}"
            )
        if len(self._types) > 1:
            raise ValueError(
                f"the model takes {len(self._types)} inputs by name: {', '.join(self._types)}"
            )
        return {next(iter(self._types)): data.values if hasattr(data, "iloc") else data}

    def _as_taken(self, name: str, value: Any) -> Any:
        is_double = str(getattr(value, "dtype", "")) == "float64"
        if is_double and self._types.get(name) == "tensor(float)":
            return value.astype("float32")
        return value


def load(path: str, request: Mapping[str, Any]) -> Graph:  # noqa: ARG001 - as the other loaders
    """Make a session with those of the flavor's providers that this onnxruntime has, else with the CPU's."""
    flavor = request["flavors"]["onnx"]
    runtime = import_module("onnxruntime")
    given = flavor.get("providers") or PROVIDERS
    named = [given] if isinstance(given, str) else given
    wanted = [tuple(each) if isinstance(each, list) else each for each in named]
    has = set(runtime.get_available_providers())
    usable = [each for each in wanted if (each if isinstance(each, str) else each[0]) in has]
    options = _options(runtime, flavor.get("onnx_session_options") or {})
    file = os.path.join(request["model"], flavor["data"])
    return Graph(runtime.InferenceSession(file, sess_options=options, providers=usable or [CPU]))


def load_native(folder: str, flavor: Mapping[str, Any]) -> Any:
    """Give the graph of a model directory, checked."""
    onnx = import_module("onnx")
    path = os.path.join(folder, flavor["data"])
    onnx.checker.check_model(path)
    return onnx.load(path)


def _options(runtime: Any, given: Mapping[str, Any]) -> Any:
    options = runtime.SessionOptions()
    for name in ("inter_op_num_threads", "intra_op_num_threads"):
        if given.get(name):
            setattr(options, name, given[name])
    if given.get("execution_mode"):
        options.execution_mode = getattr(
            runtime.ExecutionMode, f"ORT_{given['execution_mode'].upper()}"
        )
    if given.get("graph_optimization_level"):
        options.graph_optimization_level = runtime.GraphOptimizationLevel(
            given["graph_optimization_level"]
        )
    for key, value in (given.get("extra_session_config") or {}).items():
        options.add_session_config_entry(key, value)
    return options
