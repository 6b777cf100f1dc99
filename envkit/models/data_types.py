"""The types that a signature names: basic ones, and arrays, objects and maps of them.

https://mlflow.org/docs/latest/ml/model/signatures/

Each type has `to_dict` and is read back by `from_dict`, in the JSON that MLflow writes into
`MLmodel`.
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
    """A basic type; `DataType["long"]`, `DataType.long`. The value is MLflow's number of it."""

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
        """Give the NumPy type (imports NumPy)."""
        return import_module("numpy").dtype(_NUMPY[self.name])

    def to_pandas(self) -> Any:
        """Give the NumPy type of a pandas column: `object` for texts and bytes (imports NumPy)."""
        return import_module("numpy").dtype(
            object if self.name in ("string", "binary") else _NUMPY[self.name]
        )

    def to_python(self) -> type:
        """Give the built-in type."""
        return _PYTHON[self.name]

    def to_dict(self) -> dict[str, Any]:
        """Give `{"type": name}`."""
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
    """Whatever JSON can hold, null included; it is not checked."""

    NAME: ClassVar = "any"

    def __repr__(self) -> str:
        return "Any"

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON value."""
        return {"type": self.NAME}


@dataclass(frozen=True, slots=True, repr=False, init=False)
class Array:
    """A list of values of one type; the type may be given by name: `Array("long")`."""

    dtype: Type

    NAME: ClassVar = "array"

    def __init__(self, dtype: Type | str) -> None:
        object.__setattr__(self, "dtype", type_of(dtype))

    def __repr__(self) -> str:
        return f"Array({self.dtype!r})"

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON value."""
        return {"type": self.NAME, "items": self.dtype.to_dict()}


@dataclass(frozen=True, slots=True, repr=False)
class SparkMLVector:
    """A vector of Spark ML: doubles."""

    NAME: ClassVar = "sparkml_vector"

    @property
    def dtype(self) -> DataType:
        """The type of its values."""
        return DataType.double

    def __repr__(self) -> str:
        return "SparkML vector"

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON value."""
        return {"type": self.NAME}


@dataclass(frozen=True, slots=True, repr=False, init=False)
class Map:
    """An object with any keys and values of one type."""

    value_type: Type

    NAME: ClassVar = "map"

    def __init__(self, value_type: Type | str) -> None:
        object.__setattr__(self, "value_type", type_of(value_type))

    def __repr__(self) -> str:
        return f"Map(str -> {self.value_type!r})"

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON value."""
        return {"type": self.NAME, "values": self.value_type.to_dict()}


@dataclass(frozen=True, slots=True, repr=False, init=False)
class Property:
    """A value of an `Object`: its name, its type, and whether it must be there."""

    name: str
    dtype: Type
    required: bool

    def __init__(self, name: str, dtype: Type | str, required: bool = True) -> None:
        given: Any = name  # whatever the caller gave
        if not isinstance(given, str):
            raise InvalidArgument(f"The name of a property is text, not {name!r}.")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "dtype", type_of(dtype))
        object.__setattr__(self, "required", required)

    def __repr__(self) -> str:
        return f"{self.name}: {self.dtype!r} ({'required' if self.required else 'optional'})"

    def to_dict(self) -> dict[str, Any]:
        """Give `{name: {"type": …, "required": …}}`."""
        return {self.name: {**self.dtype.to_dict(), "required": self.required}}


@dataclass(frozen=True, slots=True, repr=False)
class Object:
    """An object with named values of their own types; the properties are kept in the order of their names."""

    properties: tuple[Property, ...] | list[Property]

    NAME: ClassVar = "object"

    def __post_init__(self) -> None:
        given: Any = self.properties  # whatever the caller gave
        if not isinstance(given, list | tuple) or not given:
            raise InvalidArgument("An Object takes a list of at least one Property.")
        if wrong := [each for each in given if not isinstance(each, Property)]:
            raise InvalidArgument(f"An Object takes Property values, not {wrong[0]!r}.")
        names = [each.name for each in self.properties]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InvalidArgument(
                f"An Object has one property of a name; twice there: {', '.join(twice)}."
            )
        ordered = tuple(sorted(self.properties, key=lambda each: each.name))
        object.__setattr__(self, "properties", ordered)

    def __repr__(self) -> str:
        return "{" + ", ".join(map(repr, self.properties)) + "}"

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON value."""
        properties = {
            name: value for each in self.properties for name, value in each.to_dict().items()
        }
        return {"type": self.NAME, "properties": properties}


Type = DataType | Array | SparkMLVector | Object | Map | AnyType
_TYPES = (DataType, Array, SparkMLVector, Object, Map, AnyType)


def type_of(given: object) -> Type:
    """Give a type as it is, or the basic type of that name. Raises `InvalidArgument`."""
    if isinstance(given, _TYPES):
        return given
    if isinstance(given, str) and given in DataType.__members__:
        return DataType[given]
    known = ", ".join(DataType.__members__)
    raise InvalidArgument(
        f"{given!r} is no type of a signature: {known}, or an Array, Object, Map or AnyType."
    )


def from_dict(value: Any) -> Type:
    """Read a type from its JSON value. Raises `InvalidArgument` for anything else."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    if kind == Array.NAME:
        return Array(from_dict(_member(value, "items")))
    if kind == Map.NAME:
        return Map(from_dict(_member(value, "values")))
    if kind == Object.NAME:
        properties = _member(value, "properties")
        if not isinstance(properties, Mapping):
            raise InvalidArgument(f"The properties of an object are an object, not {properties!r}.")
        return Object([_property(name, each) for name, each in properties.items()])
    if kind == AnyType.NAME:
        return AnyType()
    if kind == SparkMLVector.NAME:
        return SparkMLVector()
    if not isinstance(kind, str):
        raise InvalidArgument(f"A type is an object with the key `type`, not {value!r}.")
    return type_of(kind)


def merge(one: Type, other: Type) -> Type:
    """Give the type that values of both types have; a property that only one object has becomes optional.

    Basic types are never widened. Raises `InvalidArgument` when there is no such type.
    """
    if one == other or isinstance(other, AnyType):
        if isinstance(other, AnyType) and isinstance(one, Object):
            return _optional(one)
        return one
    if isinstance(one, AnyType):
        return merge(other, one)
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(merge(one.dtype, other.dtype))
    if isinstance(one, Map) and isinstance(other, Map):
        return Map(merge(one.value_type, other.value_type))
    if isinstance(one, Object) and isinstance(other, Object):
        return _merged_objects(one, other)
    raise InvalidArgument(f"There is no type for values of both {one!r} and {other!r}.")


def _merged_objects(one: Object, other: Object) -> Object:
    left = {each.name: each for each in one.properties}
    right = {each.name: each for each in other.properties}
    merged = []
    for name in {**left, **right}:
        if name in left and name in right:
            merged.append(_merged_properties(left[name], right[name]))
        else:
            merged.append(replace(left.get(name) or right[name], required=False))
    return Object(merged)


def _merged_properties(one: Property, other: Property) -> Property:
    return Property(one.name, merge(one.dtype, other.dtype), one.required and other.required)


def _optional(found: Object) -> Object:
    return Object([replace(each, required=False) for each in found.properties])


def _property(name: str, value: Any) -> Property:
    if isinstance(value, Mapping):
        required = value.get("required", True)
    else:
        required = True
    return Property(name, from_dict(value), required is not False)


def _member(value: Mapping[str, Any], key: str) -> Any:
    if key not in value:
        raise InvalidArgument(
            f"A type `{value['type']}` has the key `{key}`, which is missing in {dict(value)!r}."
        )
    return value[key]
