"""The schema of a model's parameters: what can be set for one prediction."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from envkit.errors import InvalidArgument
from envkit.inside.data.enforcement import parameters
from envkit.inside.data.signature import InvalidInput as Refused
from envkit.models import data_types
from envkit.models.data_types import DataType, Object, Type, type_of
from envkit.models.schema import parse_list


@dataclass(frozen=True, slots=True, repr=False, init=False)
class ParamSpec:
    """A parameter: its name, its type (or the name of a basic one), its default, which has that type or is None.

    shape: None for one value or an object, `(-1,)` for a list. Bytes cannot be parameters.
    Raises `InvalidArgument` for a default that does not have the type.
    """

    name: str
    dtype: DataType | Object
    default: Any
    shape: tuple[int, ...] | None

    def __init__(
        self, name: str, dtype: Type | str, default: Any, shape: Sequence[int] | None = None
    ) -> None:
        found = type_of(dtype)
        if not isinstance(found, DataType | Object) or found is DataType.binary:
            raise InvalidArgument(f"The parameter `{name}` cannot be of the type {found!r}.")
        length = tuple(shape) if shape is not None else None
        if length not in (None, (-1,)) or (length and isinstance(found, Object)):
            raise InvalidArgument(
                f"`{name}`: the shape is None for one value, (-1,) for a list, not {length}."
            )
        object.__setattr__(self, "name", str(name))
        object.__setattr__(self, "dtype", found)
        object.__setattr__(self, "shape", length)
        object.__setattr__(self, "default", self.validate(default))

    def __repr__(self) -> str:
        if self.shape is not None:
            shape = f" (shape: {self.shape})"
        else:
            shape = ""
        return f"{self.name!r}: {self.dtype!r} (default: {self.default}){shape}"

    def validate(self, value: Any) -> Any:
        """Give the value as this parameter's type has it. Raises `InvalidArgument` when it is of another."""
        spec = {"name": self.name, **self.dtype.to_dict(), "shape": self.shape}
        try:
            return parameters.convert_param(value, spec)
        except Refused as error:
            raise InvalidArgument(f"{error}.") from error

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON value."""
        shape = list(self.shape) if self.shape is not None else None
        return {
            "name": self.name,
            "default": _plain(self.default),
            "shape": shape,
            **self.dtype.to_dict(),
        }

    @classmethod
    def from_json_dict(cls, **value: Any) -> ParamSpec:
        """Read a parameter from its JSON value; early files have `dtype` for `type`. Raises `InvalidArgument`."""
        kind = value.get("type") or value.get("dtype")
        if kind is None or "name" not in value or "default" not in value:
            raise InvalidArgument(
                f"A parameter has `name`, `type` and `default`, unlike {value!r}."
            )
        dtype = data_types.from_dict({**value, "type": kind})
        return cls(str(value["name"]), dtype, value["default"], value.get("shape"))


@dataclass(frozen=True, slots=True, repr=False)
class ParamSchema:
    """The parameters, each name once."""

    params: list[ParamSpec]

    def __post_init__(self) -> None:
        given: Any = self.params  # whatever the caller gave
        if not isinstance(given, list | tuple) or not all(
            isinstance(each, ParamSpec) for each in given
        ):
            raise InvalidArgument(f"A ParamSchema takes a list of ParamSpec values, not {given!r}.")
        names = [each.name for each in self.params]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InvalidArgument(
                f"A ParamSchema has a name once; twice there: {', '.join(twice)}."
            )

    def __len__(self) -> int:
        return len(self.params)

    def __iter__(self) -> Iterator[ParamSpec]:
        return iter(self.params)

    def __repr__(self) -> str:
        return repr(self.params)

    def to_dict(self) -> list[dict[str, Any]]:
        """Give the JSON value."""
        return [each.to_dict() for each in self.params]

    def to_json(self) -> str:
        """Give the JSON text, as `MLmodel` holds it."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> ParamSchema:
        """Read a JSON text. Raises `InvalidArgument`."""
        return cls(
            [
                ParamSpec.from_json_dict(**each)
                for each in parse_list(text, "A schema of parameters")
            ]
        )


def _plain(value: Any) -> Any:
    """Give what JSON has for it, as it is read back."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value
