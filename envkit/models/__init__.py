"""What a model is: the `MLmodel` file, signatures, input examples, and the data that fit them.

Everything here is loaded when it is first used. `FlavorBackend` and `get_flavor_backend` come from a layer above:
this module is the public face, as the root `envkit` is.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers know it by this name; importing `typing` would cost more than all the rest
if TYPE_CHECKING:
    from typing import Any

    from envkit.models.data_types import AnyType, Array, DataType, Map, Object, Property, SparkMLVector
    from envkit.models.enforcement import enforce, enforce_params, validate_schema
    from envkit.models.inference.signature import infer_schema, infer_signature, infer_signature_from_type_hints
    from envkit.models.param_schema import ParamSchema, ParamSpec
    from envkit.models.schema import ColSpec, Schema, TensorSpec
    from envkit.models.signature import ModelSignature

__all__ = [
    "AnyType",
    "Array",
    "ColSpec",
    "DataType",
    "Map",
    "ModelSignature",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "Schema",
    "SparkMLVector",
    "TensorSpec",
    "enforce",
    "enforce_params",
    "infer_schema",
    "infer_signature",
    "infer_signature_from_type_hints",
    "validate_schema",
]

_HOME = {
    "AnyType": "data_types",
    "Array": "data_types",
    "ColSpec": "schema",
    "DataType": "data_types",
    "Map": "data_types",
    "ModelSignature": "signature",
    "Object": "data_types",
    "ParamSchema": "param_schema",
    "ParamSpec": "param_schema",
    "Property": "data_types",
    "Schema": "schema",
    "SparkMLVector": "data_types",
    "TensorSpec": "schema",
    "enforce": "enforcement",
    "enforce_params": "enforcement",
    "infer_schema": "inference.signature",
    "infer_signature": "inference.signature",
    "infer_signature_from_type_hints": "inference.signature",
    "validate_schema": "enforcement",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'envkit.models' has no attribute {name!r}")
    value = getattr(import_module(f"envkit.models.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
