"""NumPy arrays from the forms that JSON requests have for them; without NumPy JSON values stay."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ..enforcement.conversion import convert_array
from ..json_kinds import kind_of
from ..optional_libraries import is_installed
from ..signature import Column, InvalidInput, Signature


def arrays_from_json(value: Any, signature: Signature) -> Any:
    """Make arrays as MLflow does for `inputs`: of each value of an object, else of the whole."""
    if not is_installed("numpy"):
        return value
    columns = signature.columns_by_name
    is_list = isinstance(value, list)
    if is_list and len(columns) == 1 and not any(isinstance(item, dict) for item in value):
        (name,) = columns
        return _arrays_by_name({name: value}, columns)
    if isinstance(value, dict):
        return _arrays_by_name(value, columns)
    if is_list and all(isinstance(item, dict) for item in value):
        return [_arrays_by_name(row, columns) for row in value]
    return convert_array(value, signature.inputs[0] if signature.inputs else None)


def arrays_from_instances(value: Any, signature: Signature) -> Any:
    """Make arrays of `instances`: rows that are objects become columns, which must have one length.

    Raises `InvalidInput`.
    """
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return arrays_from_json(value, signature)
    columns: Dict[str, List[Any]] = {}
    for index, row in enumerate(value):
        if not isinstance(row, dict):
            raise InvalidInput(
                f"`instances[{index}]` must be an object like the first, not {kind_of(row)}"
            )
        for name, item in row.items():
            columns.setdefault(name, []).append(item)
    for name, items in columns.items():
        missing = len(value) - len(items)
        if missing:
            raise InvalidInput(f"`instances`: {missing} of {len(value)} have no `{name}`")
    return arrays_from_json(columns, signature)


def _arrays_by_name(values: Mapping[str, Any], columns: Mapping[Any, Column]) -> Dict[str, Any]:
    return {name: convert_array(value, columns.get(name)) for name, value in values.items()}
