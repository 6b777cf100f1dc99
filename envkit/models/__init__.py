"""Describe models: `MLmodel`, signatures, input examples, and the checks of data against them.

The names are those of `mlflow.models`. A name is imported when it is first used. `FlavorBackend`,
`get_flavor_backend`, `infer_pip_requirements` and `validate_serving_input` come from layers above,
because this module is a public namespace.
"""

from __future__ import annotations

# Type checkers know the name; importing `typing` would take longer than everything else here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from envkit.capturing.capture import infer_pip_requirements
    from envkit.inside.author.model_config import ModelConfig
    from envkit.models.data_types import (
        AnyType,
        Array,
        DataType,
        Map,
        Object,
        Property,
        SparkMLVector,
    )
    from envkit.models.enforcement import enforce, enforce_params, validate_schema
    from envkit.models.inference.schemas import infer_schema
    from envkit.models.input_example import convert_input_example_to_serving_input
    from envkit.models.model import Model, get_model_info
    from envkit.models.model_info import ModelInfo
    from envkit.models.param_schema import ParamSchema, ParamSpec
    from envkit.models.registration import set_model
    from envkit.models.schema import ColSpec, Schema, TensorSpec
    from envkit.models.signature import (
        ModelSignature,
        infer_signature,
        infer_signature_from_type_hints,
    )
    from envkit.models.updates import set_signature, update_model_requirements
    from envkit.models.uris.fetch import download_model
    from envkit.pyfunc.backend import FlavorBackend, get_flavor_backend
    from envkit.pyfunc.serving_input import validate_serving_input

__all__ = [
    "AnyType",
    "Array",
    "ColSpec",
    "DataType",
    "FlavorBackend",
    "Map",
    "Model",
    "ModelConfig",
    "ModelInfo",
    "ModelSignature",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "Schema",
    "SparkMLVector",
    "TensorSpec",
    "convert_input_example_to_serving_input",
    "download_model",
    "enforce",
    "enforce_params",
    "get_flavor_backend",
    "get_model_info",
    "infer_pip_requirements",
    "infer_schema",
    "infer_signature",
    "infer_signature_from_type_hints",
    "set_model",
    "set_signature",
    "update_model_requirements",
    "validate_schema",
    "validate_serving_input",
]

_HOME = {
    "AnyType": "envkit.models.data_types",
    "Array": "envkit.models.data_types",
    "ColSpec": "envkit.models.schema",
    "DataType": "envkit.models.data_types",
    "FlavorBackend": "envkit.pyfunc.backend",
    "Map": "envkit.models.data_types",
    "Model": "envkit.models.model",
    "ModelConfig": "envkit.inside.author.model_config",
    "ModelInfo": "envkit.models.model_info",
    "ModelSignature": "envkit.models.signature",
    "Object": "envkit.models.data_types",
    "ParamSchema": "envkit.models.param_schema",
    "ParamSpec": "envkit.models.param_schema",
    "Property": "envkit.models.data_types",
    "Schema": "envkit.models.schema",
    "SparkMLVector": "envkit.models.data_types",
    "TensorSpec": "envkit.models.schema",
    "convert_input_example_to_serving_input": "envkit.models.input_example",
    "set_signature": "envkit.models.updates",
    "update_model_requirements": "envkit.models.updates",
    "validate_serving_input": "envkit.pyfunc.serving_input",
    "download_model": "envkit.models.uris.fetch",
    "enforce": "envkit.models.enforcement",
    "enforce_params": "envkit.models.enforcement",
    "get_flavor_backend": "envkit.pyfunc.backend",
    "get_model_info": "envkit.models.model",
    "infer_pip_requirements": "envkit.capturing.capture",
    "infer_schema": "envkit.models.inference.schemas",
    "infer_signature": "envkit.models.signature",
    "infer_signature_from_type_hints": "envkit.models.signature",
    "set_model": "envkit.models.registration",
    "validate_schema": "envkit.models.enforcement",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'envkit.models' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
