"""The types of a signature: basic types, and arrays, objects and maps of them.

https://mlflow.org/docs/latest/ml/model/signatures/

Each type has `to_dict`, which returns the JSON value that MLflow writes into `MLmodel`; `from_dict`
reads it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from importlib import import_module
from typing import Any, ClassVar

from envkit.errors import InvalidArgument


class DataType(Enum):
    """A basic type. Corresponds to `mlflow.types.DataType`, whose numbers are the values.

    Examples:
        >>> DataType["long"] is DataType.long
        True
    """

    boolean = 1
    integer = 2
    long = 3
    float = 4
    double = 5
    string = 6
    binary = 7
    datetime = 8

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__

    def to_numpy(self) -> Any:
        """Return the `numpy.dtype` (imports NumPy)."""
        return import_module("numpy").dtype(_NUMPY[self.name])

    def to_pandas(self) -> Any:
        """Return the `numpy.dtype` of a pandas column: `object` for texts and bytes."""
        if self.name in ("string", "binary"):
            return import_module("numpy").dtype(object)
        return self.to_numpy()

    def to_python(self) -> type:
        """Return the built-in type."""
        return _PYTHON[self.name]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON value, `{"type": name}`."""
        return {"type": self.name}


_NUMPY = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": "str",
    "binary": "bytes",
    "datetime": "datetime64[ns]",
}
_PYTHON: dict[str, type] = {
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "string": str,
    "binary": bytes,
    "datetime": datetime.date,
}


@dataclass(frozen=True, slots=True, repr=False)
class AnyType:
    """Any JSON value, also null, unchecked. Corresponds to `mlflow.types.schema.AnyType`."""

    NAME: ClassVar = "any"

    def __repr__(self) -> str:
        return "Any"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON value."""
        return {"type": self.NAME}


@dataclass(frozen=True, slots=True, repr=False, init=False)
class Array:
    """A list of values of one type. Corresponds to `mlflow.types.schema.Array`.

    Args:
        dtype: Type of the items, or the name of a basic type.

    Raises:
        InvalidArgument: If `dtype` is not a type.

    Examples:
        >>> Array("long").to_dict()
        {'type': 'array', 'items': {'type': 'long'}}
    """

    dtype: Type

    NAME: ClassVar = "array"

    def __init__(self, dtype: Type | str) -> None:
        object.__setattr__(self, "dtype", type_of(dtype))

    def __repr__(self) -> str:
        return f"Array({self.dtype!r})"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON value."""
        return {"type": self.NAME, "items": self.dtype.to_dict()}


@dataclass(frozen=True, slots=True, repr=False)
class SparkMLVector:
    """A vector of doubles of Spark ML. Corresponds to `mlflow.types.schema.SparkMLVector`."""

    NAME: ClassVar = "sparkml_vector"

    @property
    def dtype(self) -> DataType:
        """Type of the values."""
        return DataType.double

    def __repr__(self) -> str:
        return "SparkML vector"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON value."""
        return {"type": self.NAME}


@dataclass(frozen=True, slots=True, repr=False, init=False)
class Map:
    """An object with any keys and values of one type. Corresponds to `mlflow.types.schema.Map`.

    Args:
        value_type: Type of the values, or the name of a basic type.

    Raises:
        InvalidArgument: If `value_type` is not a type.
    """

    value_type: Type

    NAME: ClassVar = "map"

    def __init__(self, value_type: Type | str) -> None:
        object.__setattr__(self, "value_type", type_of(value_type))

    def __repr__(self) -> str:
        return f"Map(str -> {self.value_type!r})"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON value."""
        return {"type": self.NAME, "values": self.value_type.to_dict()}


@dataclass(frozen=True, slots=True, repr=False, init=False)
class Property:
    """A named value of an `Object`. Corresponds to `mlflow.types.schema.Property`.

    Args:
        name: Name of the value.
        dtype: Type of the value, or the name of a basic type.
        required: Whether the value must be present.

    Raises:
        InvalidArgument: If `name` is not text or `dtype` is not a type.
    """

    name: str
    dtype: Type
    required: bool

    def __init__(self, name: str, dtype: Type | str, required: bool = True) -> None:
        untyped_name: Any = name
        if not isinstance(untyped_name, str):
            raise InvalidArgument(f"The name of a property must be text, not {name!r}.")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "dtype", type_of(dtype))
        object.__setattr__(self, "required", required)

    def __repr__(self) -> str:
        presence = "required" if self.required else "optional"
        return f"{self.name}: {self.dtype!r} ({presence})"

    def to_dict(self) -> dict[str, Any]:
        """Return `{name: {"type": …, "required": …}}`."""
        return {self.name: {**self.dtype.to_dict(), "required": self.required}}


@dataclass(frozen=True, slots=True, repr=False)
class Object:
    """An object with named values of their own types. Corresponds to `mlflow.types.schema.Object`.

    Args:
        properties: At least one property; they are sorted by name.

    Raises:
        InvalidArgument: If there is no property, two have the same name, or an item is not a
            `Property`.
    """

    properties: tuple[Property, ...] | list[Property]

    NAME: ClassVar = "object"

    def __post_init__(self) -> None:
        untyped: Any = self.properties
        if not isinstance(untyped, list | tuple) or not untyped:
            raise InvalidArgument("An Object needs a list of at least one Property.")
        if others := [item for item in untyped if not isinstance(item, Property)]:
            raise InvalidArgument(f"An Object takes Property values, not {others[0]!r}.")
        names = [item.name for item in self.properties]
        if duplicates := sorted({name for name in names if names.count(name) > 1}):
            raise InvalidArgument(
                f"The properties of an Object need different names; "
                f"more than one is called {', '.join(duplicates)}."
            )
        ordered = tuple(sorted(self.properties, key=lambda item: item.name))
        object.__setattr__(self, "properties", ordered)

    def __repr__(self) -> str:
        return "{" + ", ".join(map(repr, self.properties)) + "}"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON value."""
        properties: dict[str, Any] = {}
        for item in self.properties:
            properties.update(item.to_dict())
        return {"type": self.NAME, "properties": properties}


Type = DataType | Array | SparkMLVector | Object | Map | AnyType
_TYPES = (DataType, Array, SparkMLVector, Object, Map, AnyType)


def type_of(value: object) -> Type:
    """Return a type as it is, or the basic type of that name; else raise `InvalidArgument`."""
    if isinstance(value, _TYPES):
        return value
    if isinstance(value, str) and value in DataType.__members__:
        return DataType[value]
    names = ", ".join(DataType.__members__)
    raise InvalidArgument(
        f"{value!r} is not a type of a signature. "
        f"Use one of {names}, or an Array, Object, Map or AnyType."
    )


def from_dict(value: Any) -> Type:
    """Read a type from its JSON value; raise `InvalidArgument` for anything else."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    if kind == Array.NAME:
        return Array(from_dict(_member(value, "items")))
    if kind == Map.NAME:
        return Map(from_dict(_member(value, "values")))
    if kind == Object.NAME:
        return _object_from_dict(value)
    if kind == AnyType.NAME:
        return AnyType()
    if kind == SparkMLVector.NAME:
        return SparkMLVector()
    if not isinstance(kind, str):
        raise InvalidArgument(f"A type must be an object with the key `type`, not {value!r}.")
    return type_of(kind)


def merge(one: Type, other: Type) -> Type:
    """Return the type of values of both types; a property of one object only becomes optional.

    Basic types are never widened. Raises `InvalidArgument` if there is no such type.
    """
    if isinstance(one, AnyType):
        return _merged_with_any(other)
    if isinstance(other, AnyType):
        return _merged_with_any(one)
    if one == other:
        return one
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(merge(one.dtype, other.dtype))
    if isinstance(one, Map) and isinstance(other, Map):
        return Map(merge(one.value_type, other.value_type))
    if isinstance(one, Object) and isinstance(other, Object):
        return _merged_objects(one, other)
    raise InvalidArgument(f"There is no type for values of both {one!r} and {other!r}.")


def _merged_with_any(kind: Type) -> Type:
    """Any also stands for null and `{}`, so no property of an object can be required."""
    if isinstance(kind, Object):
        return Object([replace(item, required=False) for item in kind.properties])
    return kind


def _merged_objects(one: Object, other: Object) -> Object:
    left = {item.name: item for item in one.properties}
    right = {item.name: item for item in other.properties}
    merged = []
    for name in {**left, **right}:
        if name in left and name in right:
            merged.append(_merged_properties(left[name], right[name]))
        else:
            merged.append(replace(left.get(name) or right[name], required=False))
    return Object(merged)


def _merged_properties(one: Property, other: Property) -> Property:
    return Property(one.name, merge(one.dtype, other.dtype), one.required and other.required)


def _object_from_dict(value: Mapping[str, Any]) -> Object:
    properties = _member(value, "properties")
    if not isinstance(properties, Mapping):
        raise InvalidArgument(
            f"The `properties` of an object must be an object, not {properties!r}."
        )
    return Object([_property_from_dict(name, member) for name, member in properties.items()])


def _property_from_dict(name: str, value: Any) -> Property:
    required = True
    if isinstance(value, Mapping):
        required = value.get("required", True) is not False
    return Property(name, from_dict(value), required)


def _member(value: Mapping[str, Any], key: str) -> Any:
    if key not in value:
        raise InvalidArgument(
            f"A type `{value['type']}` needs the key `{key}`, which is missing in {dict(value)!r}."
        )
    return value[key]
