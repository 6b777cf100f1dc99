"""A model that is a single file, without `MLmodel`: loaded by the library that its format belongs to.

What comes out predicts by its `predict`, or by being called. Nothing is known of the form of its
input.
"""

from __future__ import annotations

import os
import pickle
from importlib import import_module
from typing import Any, Callable, Mapping

from ...artifact_formats import format_of

NUMBERS = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
}
PACKED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bz2"), (b"\xfd7zXZ", "lzma"), (b"\x5d\x00\x00", "lzma"))


class Artifact:
    """The loaded object, and how it is asked."""

    def __init__(self, loaded: Any, ask: Callable[[Any], Any] | None = None) -> None:
        self._loaded = loaded
        self._ask = ask

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - nothing is known of parameters
        """Predict."""
        ask = self._ask or getattr(self._loaded, "predict", None)
        if ask is None and callable(self._loaded):
            ask = self._loaded
        if ask is None:
            kind = type(self._loaded)
            raise TypeError(
                f"a {kind.__module__}.{kind.__qualname__} has no `predict` and cannot be called"
            )
        return ask(data)


def load(path: str, request: Mapping[str, Any]) -> Artifact:  # noqa: ARG001 - as the other loaders
    """Load the file. Raises `ValueError` for a format that nothing here loads."""
    kind = format_of(path)
    loader = LOADERS.get(kind or "")
    if loader is None:
        raise ValueError(
            f"{os.path.basename(path)} is of no format that can be loaded; it can only be read (`--static`)"
        )
    return loader(path)


def _pickle(path: str) -> Artifact:
    """What joblib wrote it alone can read, whatever the file is called."""
    with open(path, "rb") as stream:
        content = stream.read()
    packed = next((module for magic, module in PACKED if content.startswith(magic)), None)
    if (
        b"joblib.numpy_pickle" in content
        or content.startswith(b"\x78")
        or (packed and _has("joblib"))
    ):
        return _joblib(path)
    if packed:
        content = import_module(packed).decompress(content)
    return Artifact(pickle.loads(content))


def _has(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def _joblib(path: str) -> Artifact:
    return Artifact(import_module("joblib").load(path))


def _dill(path: str) -> Artifact:
    with open(path, "rb") as stream:
        return Artifact(import_module("dill").load(stream))


def _torch(path: str) -> Artifact:
    """A TorchScript archive holds code; everything else is a pickle, of a module or of weights alone."""
    import inspect
    import zipfile

    torch = import_module("torch")
    if zipfile.is_zipfile(path):
        names = zipfile.ZipFile(path).namelist()
    else:
        names = []
    if any(name.endswith("/constants.pkl") for name in names):
        loaded = torch.jit.load(path, map_location="cpu")
    else:
        if "weights_only" in inspect.signature(torch.load).parameters:
            whole = {"weights_only": False}
        else:
            whole = {}
        loaded = torch.load(path, map_location="cpu", **whole)
    if not isinstance(loaded, torch.nn.Module):
        return Artifact(loaded)
    loaded.eval()

    def ask(data: Any) -> Any:
        values = data.to_numpy() if hasattr(data, "to_numpy") else data
        with torch.no_grad():
            answer = loaded(torch.as_tensor(values, dtype=torch.float32))
        if hasattr(answer, "numpy"):
            return answer.numpy()
        return answer

    return Artifact(loaded, ask)


def _skops(path: str) -> Artifact:
    """Every type in it is trusted, as in a pickle: who captures a model trusts it."""
    io = import_module("skops.io")
    return Artifact(io.load(path, trusted=io.get_untrusted_types(file=path)))


def _xgboost(path: str) -> Artifact:
    xgboost = import_module("xgboost")
    booster = xgboost.Booster(model_file=path)
    return Artifact(booster, lambda data: booster.predict(xgboost.DMatrix(data)))


def _lightgbm(path: str) -> Artifact:
    return Artifact(import_module("lightgbm").Booster(model_file=path))


def _catboost(path: str) -> Artifact:
    return Artifact(import_module("catboost").CatBoost().load_model(path))


def _keras(path: str) -> Artifact:
    return Artifact(import_module("keras").models.load_model(path))


def _safetensors(path: str) -> Artifact:
    return Artifact(import_module("safetensors.numpy").load_file(path))


def _onnx(path: str) -> Artifact:
    session = import_module("onnxruntime").InferenceSession(
        path, providers=["CPUExecutionProvider"]
    )

    def ask(data: Any) -> Any:
        numpy = import_module("numpy")
        inputs = session.get_inputs()
        if not isinstance(data, Mapping):
            data = {inputs[0].name: data.to_numpy() if hasattr(data, "to_numpy") else data}
        given = {
            each.name: numpy.asarray(data[each.name], dtype=NUMBERS.get(each.type))
            for each in inputs
        }
        answers = session.run(None, given)
        return {each.name: answer for each, answer in zip(session.get_outputs(), answers)}  # noqa: B905 - Python 3.8

    return Artifact(session, ask)


LOADERS: Mapping[str, Callable[[str], Artifact]] = {
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
