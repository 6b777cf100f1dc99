"""The schema of parameters, inferred from examples, which become the defaults."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from envkit.errors import InvalidArgument
from envkit.inside.data.missing_values import is_missing
from envkit.models.data_types import DataType, Object
from envkit.models.inference.numbers import type_of_dtype
from envkit.models.inference.values import is_array, type_of_value
from envkit.models.param_schema import ParamSchema, ParamSpec


def schema_of_params(params: Mapping[str, Any]) -> ParamSchema:
    """Return a parameter for each value: one value, a list of values of one type, or an object.

    Raises `InvalidArgument`, which names every parameter that has no type.
    """
    if not isinstance(params, Mapping):
        raise InvalidArgument(
            f"Parameters must be a dict of values by name, not a {type(params).__name__}."
        )
    specs, problems = [], []
    for name, value in params.items():
        try:
            specs.append(_spec(name, value))
        except InvalidArgument as error:
            problems.append(f"`{name}`: {error}")
    if problems:
        raise InvalidArgument(" ".join(problems))
    return ParamSchema(specs)


def _spec(name: str, value: Any) -> ParamSpec:
    if value is None:
        raise InvalidArgument(
            "The type of a parameter cannot be inferred from None; write a ParamSpec instead."
        )
    if is_array(value) and value.ndim > 1:
        raise InvalidArgument(
            f"A parameter must be one value or a list, not an array of {value.ndim} dimensions."
        )
    is_list = isinstance(value, list) or (is_array(value) and value.ndim == 1)
    if not is_list:
        return ParamSpec(name, _type_of_item(value), value)
    if is_array(value) and value.dtype.kind != "O":
        kind = type_of_dtype(value.dtype)
    else:
        kind = _type_of_list(list(value))
    return ParamSpec(name, kind, value, (-1,))


def _type_of_item(value: Any) -> DataType | Object:
    kind = type_of_value(value)
    if isinstance(kind, DataType | Object):
        return kind
    raise InvalidArgument(f"A parameter cannot be {value!r}.")


def _type_of_list(values: list[Any]) -> DataType:
    # As with MLflow, an empty list is one of times.
    if all(isinstance(value, datetime.date) and not is_missing(value) for value in values):
        return DataType.datetime
    kinds = [_type_of_item(value) for value in values]
    different = set(kinds)
    if different == {DataType.long, DataType.double}:
        return DataType.double
    if len(different) == 1 and isinstance(kinds[0], DataType):
        return kinds[0]
    names = ", ".join(sorted(map(repr, kinds)))
    raise InvalidArgument(f"The values of a list must have one basic type, not {names}.")
