"""NumPy arrays from the forms that JSON requests have for them; without NumPy JSON values stay."""

from __future__ import annotations

from typing import Any, Mapping

from ..enforcement.conversion import convert_array
from ..json_kinds import kind_of
from ..optional_libraries import is_installed
from ..signature import Column, InvalidInput, Signature


def arrays_from_json(value: Any, signature: Signature) -> Any:
    """Make arrays as MLflow does for `inputs`: of each value of an object, else of the whole."""
    if not is_installed("numpy"):
        return value
    columns = signature.columns_by_name
    if isinstance(value, dict):
        return _arrays_by_name(value, columns)
    if isinstance(value, list):
        objects = [item for item in value if isinstance(item, dict)]
        if len(columns) == 1 and not objects:
            (name,) = columns
            return _arrays_by_name({name: value}, columns)
        if len(objects) == len(value):
            return [_arrays_by_name(row, columns) for row in value]
    if signature.inputs:
        return convert_array(value, signature.inputs[0])
    return convert_array(value, None)


def arrays_from_instances(value: Any, signature: Signature) -> Any:
    """Make arrays of `instances`: rows that are objects become columns, which must have one length.

    Raises `InvalidInput`.
    """
    has_objects = isinstance(value, list) and value and isinstance(value[0], dict)
    if not has_objects:
        return arrays_from_json(value, signature)
    columns: dict[str, list[Any]] = {}
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


def _arrays_by_name(
    values: Mapping[str, Any],
    columns: Mapping[Any, Column],
) -> dict[str, Any]:
    """Convert each value to an array of its column's type."""
    arrays = {}
    for name, value in values.items():
        arrays[name] = convert_array(value, columns.get(name))
    return arrays
