"""The type of a value: of Python's own types, and of NumPy's and pandas' scalars."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterable, Mapping
from typing import Any

from envkit.errors import InvalidArgument
from envkit.inside.data.missing_values import is_missing
from envkit.models.data_types import AnyType, Array, DataType, Object, Property, Type, merge
from envkit.models.inference.numbers import type_of_dtype

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
    "object": DataType.string,  # as in MLflow, which takes a bare object for a text
    "datetime64": DataType.datetime,
}
_LONGEST_REPR = 80


def is_array(value: Any) -> bool:
    """Return whether a value is a NumPy array."""
    kind = type(value)
    return kind.__module__ == "numpy" and kind.__name__ == "ndarray" and hasattr(value, "tolist")


def type_of_value(value: Any) -> Type:
    """Return the type of a value; `AnyType` for a missing value and for empty lists and objects.

    Raises `InvalidArgument` for a value without a type, and for a list of several types.
    """
    if is_missing(value) or (isinstance(value, list | dict) and not value):
        return AnyType()
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, list) or is_array(value):
        return Array(common_type(value))
    return _basic(value)


def type_of_values(array: Any) -> Type:
    """Return the one type of the values of an array of one dimension; raise `InvalidArgument`."""
    if array.dtype.kind == "O":
        return common_type(array)
    return type_of_dtype(array.dtype)


def common_type(values: Iterable[Any]) -> Type:
    """Return the one type of all values; raise `InvalidArgument` if there is none.

    Nothing is widened: integers and floats have no common type.
    """
    common: Type | None = None
    for value in values:
        if is_array(value) and not value.size:
            # An empty array does not tell the type of its items.
            continue
        kind = type_of_value(value)
        common = kind if common is None else _merged(common, kind)
    if common is None:
        raise InvalidArgument("The type of an empty array is unknown; give it an item.")
    return common


def is_optional(value: Any) -> bool:
    """Return whether a value is missing, or a list with a missing value."""
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
            f"The values of a list have several types ({one!r} and {other!r}). "
            "Convert them to one type, or write the signature by hand with Array(AnyType())."
        ) from error


def _object(value: Mapping[Any, Any]) -> Object:
    properties = []
    for name, member in value.items():
        kind = type_of_value(member)
        properties.append(Property(name, kind, not isinstance(kind, AnyType)))
    return Object(properties)


def _basic(value: Any) -> DataType:
    kind = type(value)
    if kind.__module__ in ("builtins", "numpy") and kind.__name__ in _BASIC:
        return _BASIC[kind.__name__]
    # Also a datetime, and a Timestamp of pandas.
    if isinstance(value, datetime.date):
        return DataType.datetime
    if isinstance(value, decimal.Decimal):
        return DataType.double
    if kind.__module__ == "numpy" and hasattr(value, "dtype"):
        return type_of_dtype(value.dtype)
    raise InvalidArgument(
        f"{repr(value)[:_LONGEST_REPR]} is a {kind.__name__}, which has no type in a signature. "
        f"Use {', '.join(DataType.__members__)}, or lists and objects of them."
    )
