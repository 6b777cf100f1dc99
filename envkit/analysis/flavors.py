"""What `MLmodel` itself says of a model's needs: its flavors, and the versions that it was saved with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from envkit.analysis.mentions import Mention, Survey
from envkit.formats.mlmodel import FILE_NAME
from envkit.inside.loaders import STAND_INS
from envkit.models.directory import ModelDirectory

FLAVORS: Mapping[str, tuple[tuple[str, ...], str]] = {
    # the modules that the flavor's loader imports; the key of the version, which is that of the
    # first
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

CHATS = frozenset(
    f"mlflow.pyfunc.loaders.{each}" for each in ("chat_model", "chat_agent", "responses_agent")
)
DISTRIBUTIONS: Mapping[str, str] = {
    # of modules named otherwise; asked only for what is not installed, where no record can tell
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
    """The distribution that most likely has a module that is not installed."""
    known = (name for name in DISTRIBUTIONS if module == name or module.startswith(f"{name}."))
    return DISTRIBUTIONS.get(next(known, ""), module.partition(".")[0])


def read(model: ModelDirectory, survey: Survey) -> None:
    """Add what `MLmodel` says."""
    content = model.mlmodel
    flavor = content.python_function
    if flavor is not None:
        survey.python = flavor.python_version or survey.python
        # those are replaced, so that a model needs no MLflow for them
        if flavor.loader_module not in STAND_INS:
            survey.mentions.append(
                Mention(alternatives=(flavor.loader_module,), file=FILE_NAME, by_code=False)
            )
        if flavor.cloudpickle_version:
            survey.versions["cloudpickle"] = flavor.cloudpickle_version
    if content.mlflow_version:
        survey.versions["mlflow"] = content.mlflow_version
    for name, fields in content.flavors.items():
        if name in FLAVORS and isinstance(fields, dict):
            modules, key = FLAVORS[name]
            survey.add_modules(dict.fromkeys(modules, False), FILE_NAME)
            if isinstance(fields.get(key), str):
                survey.versions[distribution_named(modules[0])] = fields[key]
    chats = flavor is not None and flavor.loader_module in CHATS
    if not chats and not content.content.get("is_signature_from_type_hint"):
        survey.add_modules(
            dict.fromkeys(_of_the_input(content.signature, content.example), False), FILE_NAME
        )


def _of_the_input(signature: Mapping[str, Any] | None, example: Any) -> Iterator[str]:
    """The library that the input is made with."""
    kind = example.kind if example is not None else None
    inputs = str((signature or {}).get("inputs") or "")
    columns = '"name"' in inputs and '"tensor"' not in inputs
    if kind in {"dataframe", "sparse_matrix_csc", "sparse_matrix_csr"} or columns:
        yield "scipy" if kind and kind.startswith("sparse") else "pandas"
    elif kind == "ndarray" or '"tensor"' in inputs:
        yield "numpy"
