"""A model's signature, inferred from examples of its input, its output and its parameters, or from type hints.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.models.html#mlflow.models.infer_signature
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.data_types import AnyType, DataType
from envkit.models.inference import spark, tables, type_hints
from envkit.models.inference.params import schema_of_params
from envkit.models.inference.values import common_type, is_array, is_optional, type_of_value
from envkit.models.schema import ColSpec, Schema
from envkit.models.signature import ModelSignature


def infer_signature(
    model_input: Any = None, model_output: Any = None, params: Mapping[str, Any] | None = None
) -> ModelSignature:
    """Infer a signature from what the model takes and gives, of which at least one is given.

    model_input, model_output: a pandas DataFrame or Series, an array, arrays by name, a sparse
    matrix, a data frame of Spark, a dict, a list of dicts or of values, one value, a dataclass, a
    model of pydantic, or a type hint such as `list[str]`. params: the parameters with their
    defaults.

    Unlike MLflow's it never puts a type that accepts everything where it does not know one.
    Raises `InvalidArgument` that says what has no type.
    """
    return ModelSignature(
        None if model_input is None else infer_schema(model_input),
        None if model_output is None else infer_schema(model_output),
        schema_of_params(params) if params else None,
    )


def infer_schema(data: Any) -> Schema:
    """Infer the schema of one side; as `infer_signature`."""
    if type_hints.is_type_hint(data):
        is_dataclass = dataclasses.is_dataclass(data)
        if is_dataclass:
            return type_hints.schema_of_dataclass(data)
        return type_hints.schema_of_hint(data)
    if dataclasses.is_dataclass(data):
        return type_hints.schema_of_dataclass(data)
    if hasattr(type(data), "model_fields"):
        return type_hints.schema_of_hint(type(data))
    if spark.is_frame(data):
        return spark.schema_of_frame(data)
    if isinstance(data, Mapping):
        return _schema_of_dict(data)
    if isinstance(data, list):
        return _schema_of_list(data)
    return _schema_of_table(data)


def infer_signature_from_type_hints(
    predict: Callable[..., Any], params: Mapping[str, Any] | None = None
) -> ModelSignature | None:
    """Infer a signature from the type hints of a function or method; None when they say nothing of the input.

    The input is hinted as `list[X]`, a value a row; of an X that a signature does not know a
    warning says that it is not checked. An output without a usable hint accepts everything. Raises
    `InvalidArgument` for a list or dict that does not say of what.
    """
    taken, given = type_hints.hints_of(predict)
    try:
        if taken is not None:
            inputs = type_hints.schema_of_input_hint(taken)
        else:
            inputs = None
    except type_hints.UnknownType as error:
        warnings.warn(
            f"The type hint of the input says nothing of the signature: {error}", stacklevel=3
        )
        return None
    if inputs is None:
        return None
    try:
        if given is not None:
            outputs = type_hints.schema_of_hint(given)
        else:
            outputs = None
    except (
        InvalidArgument
    ):  # the output is told for information, and hints may say more than a signature can
        outputs = None
    known = schema_of_params(params) if params else None
    return ModelSignature(
        inputs, outputs or Schema([ColSpec(AnyType())]), known, from_type_hint=True
    )


def _schema_of_table(data: Any) -> Schema:
    if is_array(data) or type(data).__module__.startswith("scipy.sparse"):
        return tables.schema_of_array(data)
    if hasattr(data, "columns") and hasattr(data, "iloc"):
        return tables.schema_of_frame(data)
    if hasattr(data, "iloc"):
        return tables.schema_of_series(data)
    return Schema([ColSpec(type_of_value(data))])


def _schema_of_dict(data: Mapping[Any, Any]) -> Schema:
    if data and all(map(is_array, data.values())):
        return tables.schema_of_arrays(data)
    if wrong := [name for name in data if not isinstance(name, str)]:
        raise InvalidArgument(f"The keys of a dict are texts, not {wrong[0]!r}.")
    return Schema(
        [
            ColSpec(type_of_value(value), name, not is_optional(value))
            for name, value in data.items()
        ]
    )


def _schema_of_list(data: list[Any]) -> Schema:
    if not data:
        return Schema([ColSpec(DataType.string)])
    if not all(isinstance(each, Mapping) for each in data):
        return Schema([ColSpec(common_type(data))])
    columns: dict[Any, list[Any]] = {}
    for row in data:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return Schema([_column(name, values, len(data)) for name, values in columns.items()])


def _column(name: Any, values: list[Any], rows: int) -> ColSpec:
    try:
        kind = common_type(values)
    except InvalidArgument as error:
        raise InvalidArgument(f"`{name}`: {error}") from error
    return ColSpec(kind, name, len(values) == rows and None not in values)
