"""The model's signature, as far as inputs are read and checked by it."""

from __future__ import annotations

import json
from typing import Any, Mapping, Sequence


class InvalidInput(Exception):
    """The data to predict on do not have the form that they must have.

    is_mismatch: they are a valid request, but do not match the signature.
    """

    is_mismatch = False


def mismatch(message: str) -> InvalidInput:
    """Make the error for an input that does not match the signature."""
    error = InvalidInput(message)
    error.is_mismatch = True
    return error


class Column:
    """One input: a column, or a tensor.

    name: None when the signature names none. type: `long`, `string`, `array`, `object`, …, or
    `tensor` with its `dtype` and `shape`. pandas: its `dtype` in pandas, where the type does not
    say it. holds_nested_texts: before MLflow 2.9 lists and objects had the type `string`. spec: the
    input's JSON object in the signature. label: how messages refer to it.
    """

    def __init__(
        self, spec: Mapping[str, Any], label: str = "", pandas: Mapping[str, Any] | None = None
    ) -> None:
        tensor = spec.get("tensor-spec") or {}
        self.spec = spec
        self._label = label
        self.name: Any = spec.get("name")
        self.type = str(spec.get("type"))
        self.required = bool(spec.get("required", not spec.get("optional", False)))
        self.dtype: str | None = tensor.get("dtype")
        self.shape: tuple[int, ...] = tuple(tensor.get("shape") or ())
        self.pandas: Mapping[str, Any] = pandas or {}
        self.holds_nested_texts = False

    @property
    def is_tensor(self) -> bool:
        """Whether it is a tensor."""
        return self.type == "tensor"

    @property
    def type_name(self) -> str:
        """How messages refer to its type."""
        if self.is_tensor:
            return f"a tensor of {self.dtype}"
        return self.type

    @property
    def label(self) -> str:
        """How messages refer to it."""
        if self._label:
            return self._label
        if self.name is None:
            return "the input"
        return f"the input `{self.name}`"

    @property
    def label_with_type(self) -> str:
        """How messages refer to it when its type explains the problem."""
        return f"{self.label} ({self.type_name})"

    def invalid(self, problem: str) -> InvalidInput:
        """Make the error for values of which the type does not hold one."""
        return InvalidInput(f"{self.label_with_type} {problem}")

    def mismatch(self, problem: str) -> InvalidInput:
        """Make the error for values of another type or form than the signature's."""
        return mismatch(f"{self.label} {problem}")


class Signature:
    """The inputs and the parameters; both empty when the model has no signature.

    columns_by_name: the inputs by their names; empty when they have no names.
    """

    def __init__(self, signature: Mapping[str, Any] | None) -> None:
        """`signature`: that of the `MLmodel` file, or None."""
        parts = signature or {}
        self.inputs: Sequence[Column] = _columns(parts)
        if parts.get("has_nested_texts"):
            for column in self.inputs:
                column.holds_nested_texts = True
        self.params: Sequence[Mapping[str, Any]] = _specs(parts.get("params"))
        self.columns_by_name: Mapping[Any, Column] = {
            column.name: column for column in self.inputs if column.name is not None
        }

    @property
    def has_pandas_types(self) -> bool:
        """Whether a column has a dtype of pandas, which numbers next to gaps must reach exactly."""
        return any(column.pandas for column in self.inputs)

    @property
    def is_tensor(self) -> bool:
        """Whether the inputs are tensors."""
        return bool(self.inputs) and self.inputs[0].is_tensor


def _columns(parts: Mapping[str, Any]) -> list[Column]:
    """Read the inputs, with the dtypes of pandas that envkit records next to them, one for each."""
    specs = _specs(parts.get("inputs"))
    recorded = _specs(parts.get("pandas"))
    if len(recorded) != len(specs):
        return [Column(spec) for spec in specs]
    pairs = zip(specs, recorded)  # noqa: B905 - Python 3.8
    return [Column(spec, pandas=pandas) for spec, pandas in pairs]


def _specs(part: Any) -> list[Mapping[str, Any]]:
    """Read the inputs or the parameters, which MLflow stores as a JSON text."""
    if isinstance(part, str):
        part = json.loads(part)
    return list(part or ())
