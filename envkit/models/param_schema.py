"""The schema of a model's parameters: the values that a caller may set for one prediction."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from envkit.errors import InvalidArgument
from envkit.inside.data.enforcement import parameters
from envkit.inside.data.signature import InvalidInput as InvalidValue
from envkit.models import data_types
from envkit.models.data_types import DataType, Object, Type, type_of
from envkit.models.schema import parse_list


@dataclass(frozen=True, slots=True, repr=False, init=False)
class ParamSpec:
    """A parameter. Corresponds to `mlflow.types.ParamSpec`.

    Args:
        name: Name of the parameter.
        dtype: Type of the value or of a list's items, or the name of a basic type; not `binary`.
        default: Value for predictions that do not set the parameter; may be None.
        shape: None for one value or an object, `(-1,)` for a list of any length.

    Raises:
        InvalidArgument: If the type or the shape is not allowed, or the default has another type.
    """

    name: str
    dtype: DataType | Object
    default: Any
    shape: tuple[int, ...] | None

    def __init__(
        self, name: str, dtype: Type | str, default: Any, shape: Sequence[int] | None = None
    ) -> None:
        kind = type_of(dtype)
        if not isinstance(kind, DataType | Object) or kind is DataType.binary:
            raise InvalidArgument(f"The parameter `{name}` cannot have the type {kind!r}.")
        lengths = tuple(shape) if shape is not None else None
        if lengths not in (None, (-1,)):
            raise InvalidArgument(
                f"`{name}`: the shape must be None for one value or (-1,) for a list, "
                f"not {lengths}."
            )
        if lengths is not None and isinstance(kind, Object):
            raise InvalidArgument(f"`{name}`: the shape of an object must be None, not {lengths}.")
        object.__setattr__(self, "name", str(name))
        object.__setattr__(self, "dtype", kind)
        object.__setattr__(self, "shape", lengths)
        object.__setattr__(self, "default", self.validate(default))

    def __repr__(self) -> str:
        shape = f" (shape: {self.shape})" if self.shape is not None else ""
        return f"{self.name!r}: {self.dtype!r} (default: {self.default}){shape}"

    def validate(self, value: Any) -> Any:
        """Return a value converted to this parameter's type.

        Args:
            value: A value, or a list of values if the parameter is a list.

        Raises:
            InvalidArgument: If the value has another type.
        """
        spec = {"name": self.name, **self.dtype.to_dict(), "shape": self.shape}
        try:
            return parameters.convert_param(value, spec)
        except InvalidValue as error:
            raise InvalidArgument(f"{error}.") from error

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON value."""
        return {
            "name": self.name,
            "default": _json_value(self.default),
            "shape": list(self.shape) if self.shape is not None else None,
            **self.dtype.to_dict(),
        }

    @classmethod
    def from_json_dict(cls, **value: Any) -> ParamSpec:
        """Read a parameter from the members of its JSON value.

        Args:
            value: As `to_dict` returns it; early files hold `dtype` instead of `type`.

        Raises:
            InvalidArgument: If a member is missing or malformed.
        """
        kind = value.get("type") or value.get("dtype")
        if kind is None or "name" not in value or "default" not in value:
            raise InvalidArgument(
                f"A parameter needs `name`, `type` and `default`; this one is {value!r}."
            )
        dtype = data_types.from_dict({**value, "type": kind})
        return cls(str(value["name"]), dtype, value["default"], value.get("shape"))


@dataclass(frozen=True, slots=True, repr=False)
class ParamSchema:
    """The parameters of a model. Corresponds to `mlflow.types.ParamSchema`.

    Args:
        params: Parameters with different names.

    Raises:
        InvalidArgument: If an item is not a `ParamSpec`, or two have the same name.
    """

    params: list[ParamSpec]

    def __post_init__(self) -> None:
        untyped: Any = self.params
        if not isinstance(untyped, list | tuple) or not all(
            isinstance(item, ParamSpec) for item in untyped
        ):
            raise InvalidArgument(
                f"A ParamSchema takes a list of ParamSpec values, not {untyped!r}."
            )
        names = [param.name for param in self.params]
        if duplicates := sorted({name for name in names if names.count(name) > 1}):
            raise InvalidArgument(
                f"The parameters of a ParamSchema need different names; "
                f"more than one is called {', '.join(duplicates)}."
            )

    def __len__(self) -> int:
        return len(self.params)

    def __iter__(self) -> Iterator[ParamSpec]:
        return iter(self.params)

    def __repr__(self) -> str:
        return repr(self.params)

    def to_dict(self) -> list[dict[str, Any]]:
        """Return the JSON value, a list with one object per parameter."""
        return [param.to_dict() for param in self.params]

    def to_json(self) -> str:
        """Return the JSON text, as `MLmodel` stores it."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> ParamSchema:
        """Read the parameters from their JSON text.

        Args:
            text: As `to_json` returns it.

        Raises:
            InvalidArgument: If the text is not JSON, or a parameter is malformed.
        """
        values = parse_list(text, "A parameter schema")
        return cls([ParamSpec.from_json_dict(**value) for value in values])


def _json_value(value: Any) -> Any:
    """Return the JSON value that is read back as this default."""
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    if isinstance(value, dict):
        return {name: _json_value(item) for name, item in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value
