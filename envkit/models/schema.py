"""The schema of a model's inputs or outputs: columns, or tensors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models import data_types
from envkit.models.data_types import DataType, Type, type_of
from envkit.models.spark_types import spark_type

_DTYPES = re.compile(
    r"bool|u?int(8|16|32|64)|float(16|32|64|96|128)|complex(64|128|192|256)|str|bytes|object"
)
_TIME_DTYPES = re.compile(r"(datetime|timedelta)64(\[.+\])?")
_SIZED_DTYPES = re.compile(r"(str|bytes)\d+")


@dataclass(frozen=True, slots=True, repr=False, init=False)
class ColSpec:
    """A column. Corresponds to `mlflow.types.ColSpec`.

    Args:
        type: Type of the values, or the name of a basic type.
        name: Name of the column; None if columns are known by position.
        required: Whether the column must be present.
        pandas: The dtype of the column in pandas, where the type does not say it: `dtype`, and for
            a category `categories` and `ordered`. An extension: `ModelSignature.to_dict` has it
            next to the columns, where MLflow reads over it, and columns that differ only in it
            are equal.

    Raises:
        InvalidArgument: If `type` is not a type.
    """

    type: Type
    name: Any
    required: bool
    pandas: Mapping[str, Any] | None = field(default=None, compare=False)

    def __init__(
        self,
        type: Type | str,  # noqa: A002 - as MLflow
        name: Any = None,
        required: bool = True,
        pandas: Mapping[str, Any] | None = None,
    ) -> None:
        object.__setattr__(self, "type", type_of(type))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "required", required)
        object.__setattr__(self, "pandas", pandas)

    def __repr__(self) -> str:
        presence = "required" if self.required else "optional"
        return _with_name(self.name, f"{self.type!r} ({presence})")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON value."""
        value = self.type.to_dict()
        if self.name is not None:
            value["name"] = self.name
        value["required"] = self.required
        return value

    @classmethod
    def from_json_dict(cls, **value: Any) -> ColSpec:
        """Read a column from the members of its JSON value.

        Args:
            value: As `to_dict` returns it; files of MLflow before 2.6 may hold `optional`
                instead of `required`.

        Raises:
            InvalidArgument: If the type is missing or unknown.
        """
        required = value.get("required")
        if required is None:
            required = not value.get("optional", False)
        return cls(data_types.from_dict(value), value.get("name"), required)


@dataclass(frozen=True, slots=True, repr=False, init=False)
class TensorSpec:
    """A tensor. Corresponds to `mlflow.types.TensorSpec`.

    Args:
        type: Type of the elements: a `numpy.dtype`, or its name such as `float64`.
        shape: Length of each dimension; -1 for a length that varies.
        name: Name of the tensor; None for the only one.

    Raises:
        InvalidArgument: If `type` is not such a type, or `shape` is not a sequence of integers.

    Examples:
        >>> TensorSpec("float32", (-1, 28, 28), "image")
        'image': Tensor('float32', (-1, 28, 28))
    """

    dtype: str
    shape: tuple[int, ...]
    name: str | None

    def __init__(self, type: Any, shape: Sequence[int], name: str | None = None) -> None:  # noqa: A002 - as MLflow
        object.__setattr__(self, "dtype", _dtype_name(type))
        object.__setattr__(self, "shape", _checked_shape(shape))
        object.__setattr__(self, "name", name)

    def __repr__(self) -> str:
        return _with_name(self.name, f"Tensor({self.dtype!r}, {self.shape!r})")

    @property
    def type(self) -> Any:
        """Type of the elements as a `numpy.dtype` (imports NumPy)."""
        return import_module("numpy").dtype(self.dtype)

    @property
    def required(self) -> bool:
        """Always True: a tensor cannot be optional."""
        return True

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON value."""
        value: dict[str, Any] = {}
        if self.name is not None:
            value["name"] = self.name
        value["type"] = "tensor"
        value["tensor-spec"] = {"dtype": self.dtype, "shape": list(self.shape)}
        return value

    @classmethod
    def from_json_dict(cls, **value: Any) -> TensorSpec:
        """Read a tensor from the members of its JSON value.

        Args:
            value: As `to_dict` returns it.

        Raises:
            InvalidArgument: If a member is missing or malformed.
        """
        spec: Any = value.get("tensor-spec")
        is_tensor = value.get("type") == "tensor" and isinstance(spec, Mapping)
        if not is_tensor or "dtype" not in spec or "shape" not in spec:
            raise InvalidArgument(
                "A tensor needs `type` and `tensor-spec` with `dtype` and `shape`; "
                f"this one is {value!r}."
            )
        return cls(spec["dtype"], spec["shape"], value.get("name"))


@dataclass(frozen=True, slots=True, repr=False)
class Schema:
    """Columns or tensors. Corresponds to `mlflow.types.Schema`.

    Args:
        inputs: At least one `ColSpec`, or at least one `TensorSpec`. Either all of them have a
            name or none has; several tensors need names, and so does an optional column.

    Raises:
        InvalidArgument: If `inputs` breaks one of these rules.
    """

    inputs: list[ColSpec] | list[TensorSpec] | list[ColSpec | TensorSpec]

    def __post_init__(self) -> None:
        untyped: Any = self.inputs
        if not isinstance(untyped, list) or not untyped:
            raise InvalidArgument(
                f"A Schema takes a list of at least one ColSpec or TensorSpec, not {untyped!r}."
            )
        kinds = {type(item) for item in untyped}
        if kinds not in ({ColSpec}, {TensorSpec}):
            raise InvalidArgument(
                "A Schema takes either ColSpec or TensorSpec values, not both and nothing else."
            )
        self._check_names()

    def _check_names(self) -> None:
        names = [item.name for item in self.inputs]
        if None not in names:
            return
        if any(name is not None for name in names):
            raise InvalidArgument(
                f"Either all inputs of a Schema have a name or none has: {names}."
            )
        if self.is_tensor_spec() and len(names) > 1:
            raise InvalidArgument("Several tensors in a Schema need names.")
        if not all(item.required for item in self.inputs):
            raise InvalidArgument("An optional column needs a name.")

    def __len__(self) -> int:
        return len(self.inputs)

    def __iter__(self) -> Iterator[ColSpec | TensorSpec]:
        return iter(self.inputs)

    def __repr__(self) -> str:
        return repr(self.inputs)

    def is_tensor_spec(self) -> bool:
        """Return whether the inputs are tensors."""
        return isinstance(self.inputs[0], TensorSpec)

    def has_input_names(self) -> bool:
        """Return whether the inputs have names."""
        return self.inputs[0].name is not None

    def input_names(self) -> list[Any]:
        """Return the names of the inputs, or their positions (from 0) if they have no names."""
        if self.has_input_names():
            return [item.name for item in self.inputs]
        return list(range(len(self.inputs)))

    def required_input_names(self) -> list[Any]:
        """Return the names, or positions, of the inputs that must be present."""
        return self._names_where(required=True)

    def optional_input_names(self) -> list[Any]:
        """Return the names of the inputs that may be absent."""
        return self._names_where(required=False)

    def _names_where(self, *, required: bool) -> list[Any]:
        named_inputs = zip(self.input_names(), self.inputs, strict=True)
        return [name for name, item in named_inputs if item.required == required]

    def input_types(self) -> list[Any]:
        """Return the type of each input; of a tensor a `numpy.dtype`."""
        return [item.type for item in self.inputs]

    def input_dict(self) -> dict[Any, ColSpec | TensorSpec]:
        """Return the inputs by name.

        Raises:
            InvalidArgument: If the inputs have no names.
        """
        if not self.has_input_names():
            raise InvalidArgument("The inputs of this schema have no names.")
        return {item.name: item for item in self.inputs}

    def input_types_dict(self) -> dict[Any, Any]:
        """Return the types of the inputs by name.

        Raises:
            InvalidArgument: If the inputs have no names.
        """
        return {name: item.type for name, item in self.input_dict().items()}

    def numpy_types(self) -> list[Any]:
        """Return the `numpy.dtype` of each input.

        Raises:
            InvalidArgument: If an input is an array, an object or a map.
        """
        if self.is_tensor_spec():
            return self.input_types()
        return [kind.to_numpy() for kind in self._basic_types()]

    def pandas_types(self) -> list[Any]:
        """Return the `numpy.dtype` of each input as a pandas column.

        Raises:
            InvalidArgument: If an input is a tensor, an array, an object or a map.
        """
        if self.is_tensor_spec():
            raise InvalidArgument("Tensors are not pandas columns; use numpy_types().")
        return [kind.to_pandas() for kind in self._basic_types()]

    def _basic_types(self) -> list[DataType]:
        types = self.input_types()
        if others := [kind for kind in types if not isinstance(kind, DataType)]:
            raise InvalidArgument(f"{others[0]!r} has no type in NumPy or pandas.")
        return types

    def as_spark_schema(self) -> Any:
        """Return the schema of Spark (imports PySpark); of one column without a name its type.

        Raises:
            InvalidArgument: If an input is a tensor, or accepts everything.
        """
        if self.is_tensor_spec():
            raise InvalidArgument("Tensors cannot be converted to a Spark schema.")
        columns = [column for column in self.inputs if isinstance(column, ColSpec)]
        if len(columns) == 1 and columns[0].name is None:
            return spark_type(columns[0].type)
        types = import_module("pyspark.sql.types")
        fields = []
        for place, column in enumerate(columns):
            name = str(place if column.name is None else column.name)
            kind = spark_type(column.type)
            fields.append(types.StructField(name, kind, nullable=not column.required))
        return types.StructType(fields)

    def to_dict(self) -> list[dict[str, Any]]:
        """Return the JSON value, a list with one object per input."""
        return [item.to_dict() for item in self.inputs]

    def pandas_dtypes(self) -> list[Mapping[str, Any] | None]:
        """Return what the columns record of pandas; empty if they record nothing."""
        recorded = [getattr(item, "pandas", None) for item in self.inputs]
        return recorded if any(recorded) else []

    def with_pandas_dtypes(self, recorded: Sequence[Mapping[str, Any] | None]) -> Schema:
        """Return the schema with what `pandas_dtypes` returned.

        Args:
            recorded: One for each column; another number is ignored.
        """
        if self.is_tensor_spec() or len(recorded) != len(self.inputs):
            return self
        columns = []
        for column, pandas in zip(self.inputs, recorded, strict=True):
            columns.append(ColSpec(column.type, column.name, column.required, pandas))
        return Schema(columns)

    def to_json(self) -> str:
        """Return the JSON text, as `MLmodel` stores it."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """Read a schema from its JSON text.

        Args:
            text: As `to_json` returns it.

        Raises:
            InvalidArgument: If the text is not JSON, or not a schema.
        """
        return cls([_input_from_dict(value) for value in parse_list(text, "A schema")])


def parse_list(text: str, what: str) -> list[dict[str, Any]]:
    """Return the objects of a JSON list; an `InvalidArgument` calls the text `what`."""
    try:
        values = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"{what} is not valid JSON: {error}.") from error
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise InvalidArgument(f"{what} must be a list of objects, not {text[:80]}.")
    return values


def _with_name(name: Any, description: str) -> str:
    if name is None:
        return description
    return f"{name!r}: {description}"


def _input_from_dict(value: dict[str, Any]) -> ColSpec | TensorSpec:
    if value.get("type") == "tensor":
        return TensorSpec.from_json_dict(**value)
    return ColSpec.from_json_dict(**value)


def _dtype_name(dtype: Any) -> str:
    """Return the name of an element type, as `numpy.dtype.name`; texts and bytes have no size."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    if isinstance(name, str):
        if _DTYPES.fullmatch(name) or _TIME_DTYPES.fullmatch(name):
            return name
        if sized := _SIZED_DTYPES.fullmatch(name):
            raise InvalidArgument(
                f"The type of a tensor has no size, unlike {name}; use numpy.dtype('{sized[1]}')."
            )
    raise InvalidArgument(
        f"{dtype!r} is not an element type of a tensor. "
        "Use a numpy.dtype, or its name such as 'float64'."
    )


def _checked_shape(shape: Any) -> tuple[int, ...]:
    if not isinstance(shape, tuple | list) or not all(map(_is_integer, shape)):
        raise InvalidArgument(f"The shape of a tensor must be a tuple of integers, not {shape!r}.")
    return tuple(int(length) for length in shape)


def _is_integer(value: object) -> bool:
    return not isinstance(value, bool) and hasattr(value, "__index__")
