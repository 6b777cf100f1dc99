"""The types that a signature of columns promises, where pandas is missing: JSON values, checked."""

from __future__ import annotations

from typing import Any, Dict, List

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


def _named_values(row: Any, signature: Signature) -> Dict[Any, Any]:
    columns = signature.columns_by_name
    if not isinstance(row, dict):
        names = ", ".join(f"`{name}`" for name in columns)
        raise mismatch(f"the model takes an object with {names}")
    refuse_missing_inputs(row, signature)
    return {name: _values(row[name], column) for name, column in columns.items() if name in row}


def _values_by_position(row: Any, signature: Signature) -> List[Any]:
    count = len(signature.inputs)
    if not isinstance(row, list) or len(row) < count:
        raise mismatch(f"a row of the input has fewer than {count} values")
    pairs = zip(row, signature.inputs)  # noqa: B905 - Python 3.8
    return [_values(value, column) for value, column in pairs]


def _values(value: Any, column: Column) -> Any:
    """Convert one value, or a list with one value per row."""
    is_nested = column.type in NESTED_TYPES
    if isinstance(value, list) and not is_nested and column.type != "any":
        return [_values(item, column) for item in value]
    label = column.label_with_type if is_nested else column.label
    return convert_nested(value, column.spec, convert_values, label, column.required)
