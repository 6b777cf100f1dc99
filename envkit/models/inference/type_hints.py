"""The schema that type hints say: of `predict`, of pydantic's models, of dataclasses.

https://mlflow.org/docs/latest/ml/model/python_model/#type-hints-for-model-signature-inference
"""

from __future__ import annotations

import dataclasses
import datetime
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from envkit.errors import InvalidArgument
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
# A dataclass is a signature that someone wrote, and MLflow reads its numbers as what they had been
# then.
_IN_DATACLASS = {**_BASIC, float: DataType.float}


class UnknownType(InvalidArgument):
    """A type that a signature does not know, as opposed to a hint that says too little or what cannot be."""


def is_type_hint(value: Any) -> bool:
    """Whether it is a type, as `list[str]` or a model of pydantic, rather than a value."""
    return typing.get_origin(value) is not None or isinstance(value, type) or value is Any


def schema_of_hint(hint: Any) -> Schema:
    """Give the one column without a name that the values of a type are; of `list[X]`, what X says: one value a row.

    Raises `InvalidArgument` for a type that a signature does not know.
    """
    if typing.get_origin(hint) is list or hint is list:
        (hint,) = _arguments(hint, 1)
    kind, required = _type_of_hint(hint, _BASIC)
    if not required:
        raise InvalidArgument(
            "The input as a whole cannot be optional; put what may be absent into a model's field."
        )
    return Schema([ColSpec(kind)])


def schema_of_input_hint(hint: Any) -> Schema | None:
    """Give the schema of the input of a `predict`; None for a hint that says nothing of it, such as a data frame.

    Raises `InvalidArgument` for a `list` or `dict` that does not say of what.
    """
    if hint is list or typing.get_origin(hint) is list:
        return schema_of_hint(hint)
    return None


def schema_of_dataclass(given: Any) -> Schema:
    """Give a column for each field of a dataclass, or of the class of an instance. Raises `InvalidArgument`."""
    return Schema(
        [ColSpec(kind, name, required) for name, kind, required in _fields_of_dataclass(given)]
    )


def hints_of(function: Callable[..., Any]) -> tuple[Any, Any]:
    """Give the hints of a `predict`'s input and of what it returns; None for one that is not there.

    The input is the first parameter that is neither `self`, `context` nor `params`.
    """
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError):  # names that only a type checker knows
        return None, None
    names = [
        name for name in inspect.signature(function).parameters if name not in ("self", "params")
    ]
    if "context" in names or len(names) == 2:
        names = names[1:]
    return (hints.get(names[0]) if names else None), hints.get("return")


def _type_of_hint(hint: Any, basic: Mapping[Any, DataType]) -> tuple[Type, bool]:
    """Give the type, and whether it must be there."""
    if hint is Any:
        return AnyType(), True
    if isinstance(hint, type) and hint in basic:
        return basic[hint], True
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(typing.get_args(hint), basic)
    if origin is list or hint is list:
        return Array(_type_of_hint(_arguments(hint, 1)[0], basic)[0]), True
    if origin is dict or hint is dict:
        key, value = _arguments(hint, 2)
        if key is not str:
            raise InvalidArgument(
                f"The keys of a dict are texts, not {_said(key)}, in {_said(hint)}."
            )
        return Map(_type_of_hint(value, basic)[0]), True
    if origin is typing.Annotated:
        return _type_of_hint(typing.get_args(hint)[0], basic)
    if hasattr(hint, "model_fields"):
        return _object_of_pydantic(hint), True
    if dataclasses.is_dataclass(hint):
        return Object([Property(*each) for each in _fields_of_dataclass(hint)]), True
    raise UnknownType(
        f"A signature has no type for {_said(hint)}. It has {', '.join(_said(each) for each in _BASIC)}, Any, "
        "list[…], dict[str, …], models of pydantic and dataclasses."
    )


def _union(members: tuple[Any, ...], basic: Mapping[Any, DataType]) -> tuple[Type, bool]:
    others = [each for each in members if each is not type(None)]
    if len(others) == 1:
        kind = _type_of_hint(others[0], basic)[0]
    else:
        kind = AnyType()
    return kind, len(others) == len(members)


def _object_of_pydantic(model: Any) -> Object:
    properties = []
    for name, field in model.model_fields.items():
        kind, required = _type_of_hint(field.annotation, _BASIC)
        if not required and field.is_required():
            raise InvalidArgument(
                f"{_said(model)}.{name} may be None but has no default; give it `= None`."
            )
        properties.append(Property(name, kind, required))
    return Object(properties)


def _fields_of_dataclass(given: Any) -> list[tuple[str, Type, bool]]:
    kind = given if isinstance(given, type) else type(given)
    hints = typing.get_type_hints(kind)
    return [
        (field.name, *_type_of_hint(hints[field.name], _IN_DATACLASS))
        for field in dataclasses.fields(kind)
    ]


def _arguments(hint: Any, count: int) -> tuple[Any, ...]:
    found = typing.get_args(hint)
    if len(found) != count:
        wanted = "list[str]" if count == 1 else "dict[str, int]"
        raise InvalidArgument(
            f"{_said(hint)} does not say of what it is; write for example {wanted}."
        )
    return found


def _said(hint: Any) -> str:
    if isinstance(hint, type) and typing.get_origin(hint) is None:
        return hint.__name__
    return str(hint)
