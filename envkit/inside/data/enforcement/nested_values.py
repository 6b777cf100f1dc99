"""Conversion of arrays, objects and maps to the types that a signature describes."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Callable, List, Mapping

from ..json_kinds import kind_of
from ..missing_values import is_missing
from ..signature import InvalidInput

SPARK_VECTOR = "sparkml_vector"
NESTED_TYPES = ("array", "object", "map", SPARK_VECTOR)

ConvertValues = Callable[[List[Any], str, str, bool], List[Any]]
"""Converts values of one basic type, or raises: (values, type, label for messages, required)."""


def convert_nested(
    value: Any,
    spec: Mapping[str, Any],
    convert_values: ConvertValues,
    label: str,
    required: bool = True,
) -> Any:
    """Convert a value to the type `spec` (JSON of the signature).

    `convert_values` converts its leaves.

    label: how messages refer to the value. A value that is not required may be None, and so may
    those in it. Raises `InvalidInput`.
    """
    kind = spec.get("type")
    if kind == "any":
        return value
    if not required and is_missing(value):
        return None
    if kind == "array":
        return _array(value, spec["items"], convert_values, label, required)
    if kind == SPARK_VECTOR:
        return _array(value, {"type": "double"}, convert_values, label, required)
    if kind == "object":
        return _object(value, spec["properties"], convert_values, label)
    if kind == "map":
        return _map(value, spec["values"], convert_values, label, required)
    if isinstance(value, (list, tuple, dict)) or getattr(value, "ndim", 0) > 0:
        raise InvalidInput(f"{label} must be a single value of type {kind}, not {kind_of(value)}")
    return convert_values([value], str(kind), label, required)[0]


def _array(
    value: Any,
    items: Mapping[str, Any],
    convert_values: ConvertValues,
    label: str,
    required: bool,
) -> Any:
    """Convert the items of a list or an array, and keep its kind."""
    is_array = getattr(value, "ndim", 0) > 0 and hasattr(value, "dtype")
    if not is_array and not isinstance(value, (list, tuple)):
        raise InvalidInput(f"{label} must be a list, not {kind_of(value)}")
    kind = items.get("type")
    if kind == "any":
        return value
    if kind in NESTED_TYPES:
        converted = []
        for index, item in enumerate(value):
            place = f"{label}[{index}]"
            converted.append(convert_nested(item, items, convert_values, place, required))
        return converted
    if is_array and value.ndim > 1:
        raise InvalidInput(
            f"{label} must be a list of {kind}, not an array of {value.ndim} dimensions"
        )
    converted = convert_values(list(value), str(kind), label, required)
    if is_array:
        return _as_array(converted, value)
    return converted


def _as_array(values: list[Any], original: Any) -> Any:
    """Make an array of converted values; the original stands for an empty one."""
    if not values:
        return original
    kinds = {type(value) for value in values}
    return import_module("numpy").array(values, dtype=None if len(kinds) == 1 else object)


def _object(
    value: Any,
    properties: Mapping[str, Any],
    convert_values: ConvertValues,
    label: str,
) -> dict[str, Any]:
    """Convert the properties of an object, which must be those of the signature."""
    if hasattr(value, "asDict"):  # a row of Spark
        value = value.asDict(True)
    if not isinstance(value, dict):
        raise InvalidInput(f"{label} must be an object, not {kind_of(value)}")
    for name, spec in properties.items():
        if spec.get("required", True) and name not in value:
            raise InvalidInput(f"{label} has no `{name}`, which the model's signature requires")
    for name in value:
        if name not in properties:
            raise InvalidInput(f"{label} has `{name}`, which is not in the model's signature")
    converted = {}
    for name, item in value.items():
        spec = properties[name]
        is_required = spec.get("required", True)
        converted[name] = convert_nested(item, spec, convert_values, f"{label}.{name}", is_required)
    return converted


def _map(
    value: Any,
    values: Mapping[str, Any],
    convert_values: ConvertValues,
    label: str,
    required: bool,
) -> dict[str, Any]:
    """Convert the values of an object with any names."""
    if not isinstance(value, dict):
        raise InvalidInput(f"{label} must be an object, not {kind_of(value)}")
    for name in value:
        if not isinstance(name, str):
            raise InvalidInput(f"{label} must have strings as keys, not {name!r}")
    return {
        name: convert_nested(item, values, convert_values, f"{label}.{name}", required)
        for name, item in value.items()
    }
