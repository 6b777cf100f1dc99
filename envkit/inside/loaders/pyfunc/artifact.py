"""A model that is a single file, without `MLmodel`: loaded by the library of its format.

Needs: that library.
Takes: whatever the loaded object takes; nothing is known of it.
Returns: what its `predict`, or calling it, returns.
"""

from __future__ import annotations

import inspect
import os
import pickle
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Callable, Mapping

from ...artifact_formats import format_of
from ...pickles import refuse_if_forbidden
from ...request import Request
from ..pytorch import is_torchscript
from ..xgboost import matrix_of

ONNX_TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
}
COMPRESSIONS = (  # first bytes, and the module that decompresses
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ", "lzma"),
    (b"\x5d\x00\x00", "lzma"),
)
ZLIB = b"\x78"  # the first byte of files that joblib compresses by itself


class Artifact:
    """A loaded object. predict_function: calls it, unless its `predict` or itself is called."""

    def __init__(self, loaded: Any, predict_function: Callable[[Any], Any] | None = None) -> None:
        self._loaded = loaded
        self._predict_function = predict_function

    def get_raw_model(self) -> Any:
        """Give the loaded object."""
        return self._loaded

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - nothing is known of parameters
        """Predict."""
        return self._function()(data)

    def check(self) -> None:
        """Raise `TypeError` for an object that cannot predict, such as a dict of weights."""
        self._function()

    def _function(self) -> Callable[[Any], Any]:
        predict = self._predict_function or getattr(self._loaded, "predict", None)
        if predict is None and callable(self._loaded):
            predict = self._loaded
        if predict is None or isinstance(self._loaded, type):
            kind = type(self._loaded)
            raise TypeError(
                f"a {kind.__module__}.{kind.__qualname__} has no `predict` and cannot be called"
            )
        function: Callable[[Any], Any] = predict
        return function


def load(path: str, request: Request) -> Artifact:  # noqa: ARG001 - as the other loaders
    """Load the file.

    Raises `ValueError` for a format that cannot be loaded, `TypeError` for an object that cannot
    predict.
    """
    loader = LOADERS.get(format_of(path) or "")
    if loader is None:
        raise ValueError(
            f"{os.path.basename(path)} has a format that cannot be loaded, only read (`--static`)"
        )
    artifact = loader(path)
    artifact.check()
    return artifact


def _pickle(path: str) -> Artifact:
    """Load a pickle, plain or compressed.

    What joblib wrote only joblib can read, whatever its name.
    """
    refuse_if_forbidden(path)
    with open(path, "rb") as stream:
        content = stream.read()
    if b"joblib.numpy_pickle" in content or content.startswith(ZLIB):
        return _joblib(path)
    for first_bytes, module in COMPRESSIONS:
        if content.startswith(first_bytes):
            if find_spec("joblib") is not None:  # joblib may have compressed it
                return _joblib(path)
            content = import_module(module).decompress(content)
            break
    return Artifact(pickle.loads(content))


def _joblib(path: str) -> Artifact:
    refuse_if_forbidden(path)
    return Artifact(import_module("joblib").load(path))


def _dill(path: str) -> Artifact:
    refuse_if_forbidden(path)
    with open(path, "rb") as stream:
        return Artifact(import_module("dill").load(stream))


def _torch(path: str) -> Artifact:
    """Load a TorchScript archive, or a pickle of a module or of its weights alone."""
    torch = import_module("torch")
    if is_torchscript(path):
        loaded = torch.jit.load(path, map_location="cpu")
    else:
        refuse_if_forbidden(path)
        options: dict[str, Any] = {"map_location": "cpu"}
        if "weights_only" in inspect.signature(torch.load).parameters:
            options["weights_only"] = False
        loaded = torch.load(path, **options)
    if not isinstance(loaded, torch.nn.Module):
        return Artifact(loaded)
    loaded.eval()

    def predict(data: Any) -> Any:
        values = data.to_numpy() if hasattr(data, "to_numpy") else data
        with torch.no_grad():
            answer = loaded(torch.as_tensor(values, dtype=torch.float32))
        if hasattr(answer, "numpy"):
            return answer.numpy()
        return answer

    return Artifact(loaded, predict)


def _skops(path: str) -> Artifact:
    """Load with every type trusted, as in a pickle: who captures a model trusts it."""
    io = import_module("skops.io")
    return Artifact(io.load(path, trusted=io.get_untrusted_types(file=path)))


def _xgboost(path: str) -> Artifact:
    xgboost = import_module("xgboost")
    booster = xgboost.Booster(model_file=path)
    return Artifact(booster, lambda data: booster.predict(matrix_of(data)))


def _lightgbm(path: str) -> Artifact:
    return Artifact(import_module("lightgbm").Booster(model_file=path))


def _catboost(path: str) -> Artifact:
    return Artifact(import_module("catboost").CatBoost().load_model(path))


def _keras(path: str) -> Artifact:
    return Artifact(import_module("keras").models.load_model(path))


def _safetensors(path: str) -> Artifact:
    return Artifact(import_module("safetensors.numpy").load_file(path))


def _onnx(path: str) -> Artifact:
    """Load a graph, which takes arrays by name, or one array."""
    runtime = import_module("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def predict(data: Any) -> Any:
        nodes = session.get_inputs()
        if not isinstance(data, Mapping):
            values = data.to_numpy() if hasattr(data, "to_numpy") else data
            data = {nodes[0].name: values}
        asarray = import_module("numpy").asarray
        inputs = {}
        for node in nodes:
            inputs[node.name] = asarray(data[node.name], dtype=ONNX_TYPES.get(node.type))
        names = [node.name for node in session.get_outputs()]
        return dict(zip(names, session.run(None, inputs)))  # noqa: B905 - Python 3.8

    return Artifact(session, predict)


LOADERS: Mapping[str, Callable[[str], Artifact]] = {  # by format
    "catboost": _catboost,
    "dill": _dill,
    "joblib": _joblib,
    "keras": _keras,
    "lightgbm": _lightgbm,
    "onnx": _onnx,
    "pickle": _pickle,
    "safetensors": _safetensors,
    "skops": _skops,
    "torch": _torch,
    "xgboost": _xgboost,
}
