"""The type of a value, from the value: of Python's own, and of NumPy's and pandas' scalars.

The libraries are told by the names of the types, so that none is imported for a value that is not
its own.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from envkit.errors import InvalidArgument
from envkit.inside.data.missing_values import is_missing
from envkit.models.data_types import AnyType, Array, DataType, Object, Property, Type, merge

_BASIC: dict[str, DataType] = {
    "bool": DataType.boolean,
    "bool_": DataType.boolean,
    "int": DataType.long,
    "int64": DataType.long,
    "int32": DataType.integer,
    "float": DataType.double,
    "float64": DataType.double,
    "float32": DataType.float,
    "str": DataType.string,
    "str_": DataType.string,
    "bytes": DataType.binary,
    "bytes_": DataType.binary,
    "bytearray": DataType.binary,
    "object": DataType.string,  # as with MLflow, which takes a bare object for a text
    "datetime64": DataType.datetime,
}


def is_array(value: Any) -> bool:
    """Whether it is a NumPy array."""
    return (
        type(value).__module__ == "numpy"
        and hasattr(value, "tolist")
        and type(value).__name__ == "ndarray"
    )


def type_of_value(value: Any) -> Type:
    """Give the type of a value; `AnyType` for what is missing and for empty lists and objects.

    Raises `InvalidArgument` for a value that has none, and for a list whose values have no common
    type.
    """
    if is_missing(value) or (isinstance(value, list | dict) and not value):
        return AnyType()
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, list) or is_array(value):
        return Array(common_type(value))
    return _basic(value)


def common_type(values: Iterable[Any]) -> Type:
    """Give the one type that values have. Nothing is widened: whole numbers and others have none in common.

    Raises `InvalidArgument`.
    """
    found: Type | None = None
    for value in values:
        if is_array(value) and not value.size:
            continue  # says nothing of what an array holds
        kind = type_of_value(value)
        found = kind if found is None else _merged(found, kind)
    if found is None:
        raise InvalidArgument("An empty array says nothing of its type.")
    return found


def is_optional(value: Any) -> bool:
    """Whether it is missing, or a list in which something is."""
    if isinstance(value, list):
        return any(map(is_missing, value))
    return is_missing(value)


def _merged(one: Type, other: Type) -> Type:
    if isinstance(one, DataType) and isinstance(other, AnyType):
        return one
    try:
        return merge(one, other)
    except InvalidArgument as error:
        raise InvalidArgument(
            f"The values of a list have several types ({one!r} and {other!r}). Make them of one, or write the "
            "signature by hand with Array(AnyType())."
        ) from error


def _object(value: Mapping[Any, Any]) -> Object:
    properties = []
    for name, each in value.items():
        kind = type_of_value(each)
        properties.append(Property(name, kind, not isinstance(kind, AnyType)))
    return Object(properties)


def _basic(value: Any) -> DataType:
    if type(value).__module__ in ("builtins", "numpy") and type(value).__name__ in _BASIC:
        return _BASIC[type(value).__name__]
    if isinstance(value, datetime.date):  # a datetime and pandas' Timestamp are dates
        return DataType.datetime
    said = repr(value)
    raise InvalidArgument(
        f"{said[:80]} is a {type(value).__name__}, for which a signature has no type. "
        f"It has {', '.join(DataType.__members__)}, and lists and objects of them."
    )
