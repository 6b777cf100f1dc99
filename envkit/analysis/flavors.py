"""What `MLmodel` says that a model needs: its flavors, and the versions that it was saved with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envkit.analysis.mentions import Globals, Mention, Survey, modules_mentioned
from envkit.formats.mlmodel import FILE_NAME
from envkit.inside.loaders import STAND_INS
from envkit.models.directory import ModelDirectory

FLAVORS: Mapping[str, tuple[tuple[str, ...], str]] = {
    # the modules that the flavor's loader imports, and the field with the version of the first one
    "catboost": (("catboost",), "catboost_version"),
    "diviner": (("diviner",), "diviner_version"),
    "h2o": (("h2o",), "h2o_version"),
    "keras": (("keras",), "keras_version"),
    "lightgbm": (("lightgbm",), "lgb_version"),
    "onnx": (("onnx", "onnxruntime"), "onnx_version"),
    "paddle": (("paddle",), "paddle_version"),
    "pmdarima": (("pmdarima",), "pmdarima_version"),
    "prophet": (("prophet",), "prophet_version"),
    "pytorch": (("torch",), "pytorch_version"),
    "sentence_transformers": (("sentence_transformers",), "sentence_transformers_version"),
    "shap": (("shap",), "shap_version"),
    "sklearn": (("sklearn",), "sklearn_version"),
    "spacy": (("spacy",), "spacy_version"),
    "spark": (("pyspark",), "pyspark_version"),
    "statsmodels": (("statsmodels",), "statsmodels_version"),
    "tensorflow": (("tensorflow",), "tensorflow_version"),
    "transformers": (("transformers",), "transformers_version"),
    "xgboost": (("xgboost",), "xgb_version"),
}

TRUSTED_TYPES = "skops_trusted_types"

CHATS = frozenset(
    f"mlflow.pyfunc.loaders.{name}" for name in ("chat_model", "chat_agent", "responses_agent")
)
DISTRIBUTIONS: Mapping[str, str] = {
    # of modules whose distribution has another name; used only for modules that are not installed
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "google.protobuf": "protobuf",
    "paddle": "paddlepaddle",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


def distribution_named(module: str) -> str:
    """Guess the distribution of a module that is not installed, by its name."""
    for name, distribution in DISTRIBUTIONS.items():
        if module == name or module.startswith(f"{name}."):
            return distribution
    return module.partition(".")[0]


def read(model: ModelDirectory) -> Survey:
    """Read what `MLmodel` says."""
    content = model.mlmodel
    parts = [_of_python_function(model)]
    if content.mlflow_version:
        parts.append(Survey(versions={"mlflow": content.mlflow_version}))
    for name, fields in content.flavors.items():
        if name in FLAVORS and isinstance(fields, dict):
            parts.append(_of_flavor(name, fields))
    if not _makes_its_own_input(model):
        library = _input_library(content.signature, content.example)
        libraries = {library: False} if library is not None else {}
        parts.append(Survey(mentions=modules_mentioned(libraries, FILE_NAME)))
    return Survey.joined(parts)


def _of_python_function(model: ModelDirectory) -> Survey:
    flavor = model.mlmodel.python_function
    if flavor is None:
        return Survey()
    mentions: tuple[Mention, ...] = ()
    # the runner has loaders of its own in place of MLflow's
    if flavor.loader_module not in STAND_INS:
        mentions = modules_mentioned({flavor.loader_module: False}, FILE_NAME)
    versions = {}
    if flavor.cloudpickle_version:
        versions["cloudpickle"] = flavor.cloudpickle_version
    return Survey(mentions=mentions, versions=versions, python=flavor.python_version)


def _of_flavor(name: str, fields: Mapping[str, Any]) -> Survey:
    modules, key = FLAVORS[name]
    versions = {}
    if isinstance(fields.get(key), str):
        versions[distribution_named(modules[0])] = fields[key]
    mentions = modules_mentioned(dict.fromkeys(modules, False), FILE_NAME)
    trusted = _trusted_types(fields.get(TRUSTED_TYPES))
    return Survey(
        mentions=mentions,
        versions=versions,
        globals={FILE_NAME: trusted} if trusted else {},
    )


def _trusted_types(stated: Any) -> Globals:
    """The module and name of each type that a flavor lets skops load without asking."""
    if not isinstance(stated, list):
        return ()
    types: list[tuple[str, str]] = []
    for name in stated:
        if isinstance(name, str):
            module, _, attribute = name.rpartition(".")
            types.append((module, attribute))
    return tuple(types)


def _makes_its_own_input(model: ModelDirectory) -> bool:
    """Whether the loader makes objects of the input, so that NumPy and pandas are not needed."""
    flavor = model.mlmodel.python_function
    if flavor is not None and flavor.loader_module in CHATS:
        return True
    return model.mlmodel.is_signature_from_type_hint


def _input_library(signature: Mapping[str, Any] | None, example: Any) -> str | None:
    """The library whose objects are the model's input."""
    kind = example.kind if example is not None else None
    inputs = str((signature or {}).get("inputs") or "")
    has_tensors = '"tensor"' in inputs
    has_columns = '"name"' in inputs and not has_tensors
    if kind in {"sparse_matrix_csc", "sparse_matrix_csr"}:
        return "scipy"
    if kind == "dataframe" or has_columns:
        return "pandas"
    if kind == "ndarray" or has_tensors:
        return "numpy"
    return None
