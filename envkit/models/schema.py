"""The schema of a model's inputs or outputs: columns, or tensors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models import data_types
from envkit.models.data_types import DataType, Type, type_of

_DTYPES = re.compile(
    r"bool|u?int(8|16|32|64)|float(16|32|64|96|128)|complex(64|128|192|256)|str|bytes|object"
)
_TIMES = re.compile(r"(datetime|timedelta)64(\[.+\])?")


@dataclass(frozen=True, slots=True, repr=False, init=False)
class ColSpec:
    """A column: its type (or the name of a basic type), its name or None, and whether it must be there."""

    type: Type
    name: Any
    required: bool

    def __init__(self, type: Type | str, name: Any = None, required: bool = True) -> None:  # noqa: A002 - as MLflow
        object.__setattr__(self, "type", type_of(type))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "required", required)

    def __repr__(self) -> str:
        said = f"{self.type!r} ({'required' if self.required else 'optional'})"
        if self.name is None:
            return said
        return f"{self.name!r}: {said}"

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON value."""
        named = {} if self.name is None else {"name": self.name}
        return {**self.type.to_dict(), **named, "required": self.required}

    @classmethod
    def from_json_dict(cls, **value: Any) -> ColSpec:
        """Read a column from its JSON value; files of MLflow before 2.6 may say `optional`."""
        required = value.get("required")
        if required is None:
            required = not value.get("optional", False)
        return cls(data_types.from_dict(value), value.get("name"), required)


@dataclass(frozen=True, slots=True, repr=False, init=False)
class TensorSpec:
    """A tensor: its element type as NumPy names it, its shape with -1 for what varies, its name or None.

    dtype: a `numpy.dtype` or its name; NumPy itself is needed for `type` only.
    """

    dtype: str
    shape: tuple[int, ...]
    name: str | None

    def __init__(self, type: Any, shape: Sequence[int], name: str | None = None) -> None:  # noqa: A002 - as MLflow
        object.__setattr__(self, "dtype", _dtype_name(type))
        object.__setattr__(self, "shape", _shape(shape))
        object.__setattr__(self, "name", name)

    def __repr__(self) -> str:
        said = f"Tensor({self.dtype!r}, {self.shape!r})"
        if self.name is None:
            return said
        return f"{self.name!r}: {said}"

    @property
    def type(self) -> Any:
        """The element type as a `numpy.dtype` (imports NumPy)."""
        return import_module("numpy").dtype(self.dtype)

    @property
    def required(self) -> bool:
        """True: a tensor must always be there."""
        return True

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON value."""
        named = {} if self.name is None else {"name": self.name}
        return {
            **named,
            "type": "tensor",
            "tensor-spec": {"dtype": self.dtype, "shape": list(self.shape)},
        }

    @classmethod
    def from_json_dict(cls, **value: Any) -> TensorSpec:
        """Read a tensor from its JSON value. Raises `InvalidArgument`."""
        inner = value.get("tensor-spec")
        if (
            value.get("type") != "tensor"
            or not isinstance(inner, Mapping)
            or not {"dtype", "shape"} <= set(inner)
        ):
            raise InvalidArgument(
                f"A tensor has `type` and `tensor-spec` with `dtype` and `shape`, unlike {value!r}."
            )
        return cls(inner["dtype"], inner["shape"], value.get("name"))


@dataclass(frozen=True, slots=True, repr=False)
class Schema:
    """Columns, all named or all without a name, or tensors, of which one may be without a name."""

    inputs: list[ColSpec] | list[TensorSpec] | list[ColSpec | TensorSpec]

    def __post_init__(self) -> None:
        given: Any = self.inputs  # whatever the caller gave
        if not isinstance(given, list) or not given:
            raise InvalidArgument(
                f"A Schema takes a list of at least one ColSpec or TensorSpec, not {given!r}."
            )
        kinds = {type(each) for each in self.inputs}
        if kinds not in ({ColSpec}, {TensorSpec}):
            raise InvalidArgument(
                "A Schema takes either ColSpec or TensorSpec values, not both and nothing else."
            )
        names = [each.name for each in self.inputs]
        if None in names and any(name is not None for name in names):
            raise InvalidArgument(
                f"In a Schema all inputs have a name or none has, unlike {names}."
            )
        if None in names and kinds == {TensorSpec} and len(names) > 1:
            raise InvalidArgument("Several tensors in a Schema need names.")
        if None in names and not all(each.required for each in self.inputs):
            raise InvalidArgument("Only a column with a name can be optional.")

    def __len__(self) -> int:
        return len(self.inputs)

    def __iter__(self) -> Iterator[ColSpec | TensorSpec]:
        return iter(self.inputs)

    def __repr__(self) -> str:
        return repr(self.inputs)

    def is_tensor_spec(self) -> bool:
        """Whether it is of tensors."""
        return isinstance(self.inputs[0], TensorSpec)

    def has_input_names(self) -> bool:
        """Whether the inputs have names."""
        return self.inputs[0].name is not None

    def input_names(self) -> list[Any]:
        """Give the names; positions where there are none."""
        return [index if each.name is None else each.name for index, each in enumerate(self.inputs)]

    def required_input_names(self) -> list[Any]:
        """Give the names (or positions) of what must be there."""
        return [
            name
            for name, each in zip(self.input_names(), self.inputs, strict=True)
            if each.required
        ]

    def optional_input_names(self) -> list[Any]:
        """Give the names of what may be absent."""
        return [
            name
            for name, each in zip(self.input_names(), self.inputs, strict=True)
            if not each.required
        ]

    def input_types(self) -> list[Any]:
        """Give the type of each input: a `numpy.dtype` for a tensor."""
        return [each.type for each in self.inputs]

    def input_dict(self) -> dict[Any, ColSpec | TensorSpec]:
        """Give the inputs by name. Raises `InvalidArgument` when they have none."""
        if not self.has_input_names():
            raise InvalidArgument("The inputs of this schema have no names.")
        return {each.name: each for each in self.inputs}

    def input_types_dict(self) -> dict[Any, Any]:
        """Give the types by name. Raises `InvalidArgument` when the inputs have none."""
        return {name: each.type for name, each in self.input_dict().items()}

    def numpy_types(self) -> list[Any]:
        """Give the NumPy types. Raises `InvalidArgument` for arrays, objects, maps."""
        if self.is_tensor_spec():
            return self.input_types()
        return [each.to_numpy() for each in self._basic_types()]

    def pandas_types(self) -> list[Any]:
        """Give the NumPy types of pandas columns. Raises `InvalidArgument` for tensors, arrays, objects, maps."""
        if self.is_tensor_spec():
            raise InvalidArgument("Tensors are no columns of pandas; use numpy_types().")
        return [each.to_pandas() for each in self._basic_types()]

    def _basic_types(self) -> list[DataType]:
        types = self.input_types()
        if others := [each for each in types if not isinstance(each, DataType)]:
            raise InvalidArgument(f"{others[0]!r} has no type in NumPy or pandas.")
        return types

    def to_dict(self) -> list[dict[str, Any]]:
        """Give the JSON value."""
        return [each.to_dict() for each in self.inputs]

    def to_json(self) -> str:
        """Give the JSON text, as `MLmodel` holds it."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """Read a JSON text. Raises `InvalidArgument` when it is none, or of another form."""
        return cls([_input(each) for each in parse_list(text, "A schema")])


def parse_list(text: str, what: str) -> list[dict[str, Any]]:
    """Give the objects of a JSON list. Raises `InvalidArgument`, which calls the text `what`."""
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"{what} is a JSON text: {error}.") from error
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InvalidArgument(f"{what} is a list of objects, not {text[:80]}.")
    return found


def _input(value: dict[str, Any]) -> ColSpec | TensorSpec:
    if value.get("type") == "tensor":
        return TensorSpec.from_json_dict(**value)
    return ColSpec.from_json_dict(**value)


def _dtype_name(given: Any) -> str:
    """Name an element type as `numpy.dtype.name` does. A size of texts and bytes is not told: it varies."""
    name = given if isinstance(given, str) else getattr(given, "name", None)
    if isinstance(name, str) and (_DTYPES.fullmatch(name) or _TIMES.fullmatch(name)):
        return name
    if isinstance(name, str) and re.fullmatch(r"(str|bytes)\d+", name):
        plain = name.rstrip("0123456789")
        raise InvalidArgument(
            f"The size in {name} is no part of a tensor's type; use numpy.dtype('{plain}')."
        )
    raise InvalidArgument(
        f"{given!r} is no element type of a tensor: a numpy.dtype, or its name such as 'float64'."
    )


def _shape(given: Any) -> tuple[int, ...]:
    if not isinstance(given, tuple | list) or not all(_is_int(each) for each in given):
        raise InvalidArgument(f"The shape of a tensor is a tuple of whole numbers, not {given!r}.")
    return tuple(int(each) for each in given)


def _is_int(value: object) -> bool:
    return not isinstance(value, bool) and hasattr(value, "__index__")
