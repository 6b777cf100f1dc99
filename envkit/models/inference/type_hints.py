"""The schema of type hints: of a `predict` function, a pydantic model or a dataclass.

https://mlflow.org/docs/latest/ml/model/python_model/#type-hints-for-model-signature-inference
"""

from __future__ import annotations

import dataclasses
import datetime
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from envkit.errors import InvalidArgument
from envkit.inside.author import type_hints as hints
from envkit.models.data_types import AnyType, Array, DataType, Map, Object, Property, Type
from envkit.models.schema import ColSpec, Schema

_BASIC: dict[Any, DataType] = {
    int: DataType.long,
    str: DataType.string,
    bool: DataType.boolean,
    float: DataType.double,
    bytes: DataType.binary,
    datetime.datetime: DataType.datetime,
    datetime.date: DataType.datetime,
}
_Basic = Mapping[Any, DataType]
# MLflow reads the floats of a dataclass, unlike those of other hints, as 32 bits.
_IN_DATACLASS = {**_BASIC, float: DataType.float}


class UnknownType(InvalidArgument):
    """A type that signatures do not have, as opposed to a hint that is incomplete or invalid."""


def is_type_hint(value: Any) -> bool:
    """Return whether a value is a type, such as `list[str]` or a pydantic model, and not data."""
    return typing.get_origin(value) is not None or isinstance(value, type) or value is Any


def schema_of_hint(hint: Any) -> Schema:
    """Return the one unnamed column of a type; of `list[X]` that of X, one value per row.

    Raises `InvalidArgument` for a type that signatures do not have.
    """
    if _is_list(hint):
        (hint,) = _arguments(hint, 1)
    kind, required = _type_of_hint(hint, _BASIC)
    if not required:
        raise InvalidArgument(
            "The input as a whole cannot be optional; use a model with an optional field instead."
        )
    return Schema([ColSpec(kind)])


def schema_of_input_hint(hint: Any) -> Schema:
    """Return the schema of a `predict` function's input.

    Raises `UnknownType` for a hint that does not define one, which leaves data unchecked, and
    `InvalidArgument` for one that lacks a part.
    """
    try:
        hints.check(hint)
    except hints.UnsupportedTypeHint as error:
        raise UnknownType(str(error)) from error
    except hints.InvalidTypeHint as error:
        raise InvalidArgument(
            "The `predict` function has unsupported type hints for the model input arguments. "
            "Update it to one of supported type hints, or remove type hints to bypass this check. "
            f"Error: {error}"
        ) from error
    return schema_of_hint(hint)


def schema_of_dataclass(dataclass: Any) -> Schema:
    """Return a column for each field of a dataclass, given as the class or an instance."""
    fields = _fields_of_dataclass(dataclass)
    # Data of such a column are doubles, whatever MLflow calls the type.
    columns = []
    for name, kind, required in fields:
        pandas = {"dtype": "float64"} if kind is DataType.float else None
        columns.append(ColSpec(kind, name, required, pandas))
    return Schema(columns)


def _is_list(hint: Any) -> bool:
    return hint is list or typing.get_origin(hint) is list


def _type_of_hint(hint: Any, basic: _Basic) -> tuple[Type, bool]:
    """Return the type of a hint, and whether the value is required."""
    if hint is Any:
        return AnyType(), True
    if isinstance(hint, type) and hint in basic:
        return basic[hint], True
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(typing.get_args(hint), basic)
    if origin is typing.Annotated:
        return _type_of_hint(typing.get_args(hint)[0], basic)
    return _nested(hint, origin, basic), True


def _nested(hint: Any, origin: Any, basic: _Basic) -> Type:
    if _is_list(hint):
        (items,) = _arguments(hint, 1)
        return Array(_type_of_hint(items, basic)[0])
    if origin is dict or hint is dict:
        return _map(hint, basic)
    if hasattr(hint, "model_fields"):
        return _object_of_pydantic(hint)
    if dataclasses.is_dataclass(hint):
        return Object([Property(*field) for field in _fields_of_dataclass(hint)])
    basic_types = ", ".join(map(hints.text_of, _BASIC))
    raise UnknownType(
        f"A signature has no type for {hints.text_of(hint)}. "
        f"Use {basic_types}, Any, list[…], dict[str, …], pydantic models or dataclasses."
    )


def _union(members: tuple[Any, ...], basic: _Basic) -> tuple[Type, bool]:
    others = [member for member in members if member is not type(None)]
    required = len(others) == len(members)
    if len(others) > 1:
        return AnyType(), required
    return _type_of_hint(others[0], basic)[0], required


def _map(hint: Any, basic: _Basic) -> Map:
    key, value = _arguments(hint, 2)
    if key is not str:
        raise InvalidArgument(
            f"The keys of a dict must be str, not {hints.text_of(key)}: {hints.text_of(hint)}."
        )
    return Map(_type_of_hint(value, basic)[0])


def _object_of_pydantic(model: Any) -> Object:
    properties = []
    for name, field in model.model_fields.items():
        kind, required = _type_of_hint(field.annotation, _BASIC)
        if not required and field.is_required():
            raise InvalidArgument(
                f"{hints.text_of(model)}.{name} may be None but has no default; give it `= None`."
            )
        properties.append(Property(name, kind, required))
    return Object(properties)


def _fields_of_dataclass(dataclass: Any) -> Iterator[tuple[str, Type, bool]]:
    """Yield the name and the type of each field, and whether it is required."""
    kind = dataclass if isinstance(dataclass, type) else type(dataclass)
    types_of_fields = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        yield field.name, *_type_of_hint(types_of_fields[field.name], _IN_DATACLASS)


def _arguments(hint: Any, count: int) -> tuple[Any, ...]:
    arguments = typing.get_args(hint)
    if len(arguments) != count:
        example = "list[str]" if count == 1 else "dict[str, int]"
        raise InvalidArgument(
            f"{hints.text_of(hint)} does not name the type of its items; "
            f"write for example {example}."
        )
    return arguments
