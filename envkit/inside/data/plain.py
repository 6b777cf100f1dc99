"""The types that a signature promises, where there is no pandas: the lists and objects of JSON, checked."""

from __future__ import annotations

from typing import Any

from .nested import NESTED, fit
from .signature import Column, Signature, misfit
from .tensors import refuse_missing
from .values import from_json


def fitted(data: Any, signature: Signature) -> Any:
    """Give columns, rows or one row as they are, with values of the signature's types. Raises `InvalidInput`."""
    if signature.names:
        if isinstance(data, list):
            return [_row(each, signature) for each in data]
        return _row(data, signature)
    if len(signature.inputs) == 1:
        return _values(data, signature.inputs[0])
    if not isinstance(data, list):
        raise misfit("the model takes a list of rows")
    return [_places(each, signature) for each in data]


def _row(row: Any, signature: Signature) -> dict[Any, Any]:
    if not isinstance(row, dict):
        raise misfit(
            f"the model takes {', '.join(f'`{name}`' for name in signature.names)} by name"
        )
    refuse_missing(row, signature)
    return {
        name: _values(row[name], column) for name, column in signature.names.items() if name in row
    }


def _places(row: Any, signature: Signature) -> list[Any]:
    if not isinstance(row, list) or len(row) < len(signature.inputs):
        raise misfit(f"a row of the input has fewer than {len(signature.inputs)} values")
    return [_values(each, column) for each, column in zip(row, signature.inputs)]  # noqa: B905 - Python 3.8


def _values(value: Any, column: Column) -> Any:
    """Fit one value, or a list of values one a row."""
    if isinstance(value, list) and column.type not in (*NESTED, "any"):
        return [_values(each, column) for each in value]
    if column.type in NESTED:
        where = f"{column.where} ({column})"
    else:
        where = column.where
    return fit(value, column.spec, from_json, where, column.required)
