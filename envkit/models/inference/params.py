"""The schema of parameters, from examples of them: what is given becomes the default."""

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
    """Give a parameter for each value: one value, a list of values of one type, or an object.

    Raises `InvalidArgument`, naming each parameter that has no type.
    """
    if not isinstance(params, Mapping):
        raise InvalidArgument(
            f"Parameters are given by name, in a dict, not as {type(params).__name__}."
        )
    specs, wrong = [], []
    for name, value in params.items():
        try:
            specs.append(_spec(name, value))
        except InvalidArgument as error:
            wrong.append(f"`{name}`: {error}")
    if wrong:
        raise InvalidArgument(" ".join(wrong))
    return ParamSchema(specs)


def _spec(name: str, value: Any) -> ParamSpec:
    if value is None:
        raise InvalidArgument(
            "None says nothing of a parameter's type; write the ParamSpec by hand."
        )
    if not isinstance(value, list) and not (is_array(value) and value.ndim):
        return ParamSpec(name, _basic(value), value)
    if is_array(value) and value.ndim > 1:
        raise InvalidArgument(
            f"A parameter is one value or a list, not an array of {value.ndim} dimensions."
        )
    if is_array(value) and value.dtype.kind != "O":
        kind = type_of_dtype(value.dtype)
    else:
        kind = _type_of_list(list(value))
    return ParamSpec(name, kind, value, (-1,))


def _basic(value: Any) -> DataType | Object:
    kind = type_of_value(value)
    if isinstance(kind, DataType | Object):
        return kind
    raise InvalidArgument(f"A parameter cannot be {value!r}.")


def _type_of_list(values: list[Any]) -> DataType:
    """Whole numbers among others are numbers; of an empty list MLflow says times."""
    if all(isinstance(each, datetime.date) and not is_missing(each) for each in values):
        return DataType.datetime
    kinds = [_basic(each) for each in values]
    if set(kinds) == {DataType.long, DataType.double}:
        return DataType.double
    if len(set(kinds)) == 1 and isinstance(kinds[0], DataType):
        return kinds[0]
    raise InvalidArgument(
        f"The values of a list are of one basic type, not of {', '.join(sorted(map(repr, kinds)))}."
    )
