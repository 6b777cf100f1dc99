"""The types that a signature of columns promises, where pandas is missing: JSON values, checked."""

from __future__ import annotations

from typing import Any

from ..signature import Column, Signature, mismatch
from .json_values import convert_values
from .nested_values import NESTED_TYPES, convert_nested
from .tensors import refuse_missing_inputs


def checked_values(data: Any, signature: Signature) -> Any:
    """Keep columns, rows or one row as they are, with values of the signature's types.

    Raises `InvalidInput`.
    """
    if signature.columns_by_name:
        if isinstance(data, list):
            return [_named_values(row, signature) for row in data]
        return _named_values(data, signature)
    if len(signature.inputs) == 1:
        return _values(data, signature.inputs[0])
    if not isinstance(data, list):
        raise mismatch("the model takes a list of rows")
    return [_values_by_position(row, signature) for row in data]


def _named_values(row: Any, signature: Signature) -> dict[Any, Any]:
    """Convert columns, or one row, by name."""
    columns = signature.columns_by_name
    if not isinstance(row, dict):
        names = ", ".join(f"`{name}`" for name in columns)
        raise mismatch(f"the model takes an object with {names}")
    refuse_missing_inputs(row, signature)
    values = {}
    for name, column in columns.items():
        if name in row:
            values[name] = _values(row[name], column)
    return values


def _values_by_position(row: Any, signature: Signature) -> list[Any]:
    """Convert a row without names."""
    count = len(signature.inputs)
    if not isinstance(row, list) or len(row) < count:
        raise mismatch(f"a row of the input has fewer than {count} values")
    pairs = zip(row, signature.inputs)  # noqa: B905 - Python 3.8
    return [_values(value, column) for value, column in pairs]


def _values(value: Any, column: Column) -> Any:
    """Convert one value, or a list with one value per row."""
    label = column.label
    if column.type in NESTED_TYPES:
        label = column.label_with_type
    elif isinstance(value, list) and column.type != "any":
        return [_values(item, column) for item in value]
    return convert_nested(
        value,
        column.spec,
        convert_values,
        label,
        column.required,
    )
