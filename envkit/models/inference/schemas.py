"""The schema of a model's input or output, inferred from an example or a type hint."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.data_types import DataType
from envkit.models.inference import spark, tables, type_hints
from envkit.models.inference.values import common_type, is_array, is_optional, type_of_value
from envkit.models.schema import ColSpec, Schema


def infer_schema(data: Any) -> Schema:
    """Infer the schema of a model's input or output from an example.

    Corresponds to `mlflow.types.utils._infer_schema`.

    Args:
        data: An example, or a type hint, of the kinds that `infer_signature` takes.

    Returns:
        Columns, or for arrays tensors whose first dimension may vary.

    Raises:
        InvalidArgument: If a column or value has no type in a signature; the message names it.

    Examples:
        >>> infer_schema([{"age": 31}, {"age": None}])
        ['age': long (optional)]
    """
    if type_hints.is_type_hint(data):
        if dataclasses.is_dataclass(data):
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
    if others := [name for name in data if not isinstance(name, str)]:
        raise InvalidArgument(f"The keys of a dict must be texts, not {others[0]!r}.")
    columns = []
    for name, value in data.items():
        columns.append(ColSpec(type_of_value(value), name, not is_optional(value)))
    return Schema(columns)


def _schema_of_list(data: list[Any]) -> Schema:
    if not data:
        return Schema([ColSpec(DataType.string)])
    if not all(isinstance(row, Mapping) for row in data):
        return Schema([ColSpec(common_type(data))])
    columns: dict[Any, list[Any]] = {}
    for row in data:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    rows = len(data)
    return Schema([_column(name, values, rows) for name, values in columns.items()])


def _column(name: Any, values: list[Any], rows: int) -> ColSpec:
    try:
        kind = common_type(values)
    except InvalidArgument as error:
        raise InvalidArgument(f"`{name}`: {error}") from error
    is_complete = len(values) == rows and None not in values
    return ColSpec(kind, name, is_complete)
