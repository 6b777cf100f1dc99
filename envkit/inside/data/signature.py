"""The model's signature, as far as an input is read and checked by it."""

from __future__ import annotations

import json
from typing import Any, Mapping, Sequence


class InvalidInput(Exception):
    """What was given to predict on does not have the form that it must have.

    is_misfit: it is a request, but not one that the signature allows.
    """

    is_misfit = False


def misfit(message: str) -> InvalidInput:
    """Give the error for an input that the signature does not allow."""
    error = InvalidInput(message)
    error.is_misfit = True
    return error


class Column:
    """One input: a column, or a tensor.

    name: None when the signature names none. type: `long`, `string`, `array`, `object`, …, or
    `tensor` with its `dtype` and `shape`. spec: all that the signature says of it. where: what
    messages call it.
    """

    def __init__(self, spec: Mapping[str, Any], where: str = "") -> None:
        tensor = spec.get("tensor-spec") or {}
        self.spec = spec
        self._where = where
        self.name: Any = spec.get("name")
        self.type = str(spec.get("type"))
        self.required = bool(spec.get("required", not spec.get("optional", False)))
        self.dtype: str | None = tensor.get("dtype")
        self.shape: tuple[int, ...] = tuple(tensor.get("shape") or ())

    def __str__(self) -> str:
        if self.is_tensor:
            return f"a tensor of {self.dtype}"
        return self.type

    @property
    def where(self) -> str:
        """What messages call it."""
        if self._where:
            return self._where
        if self.name is None:
            return "the input"
        return f"the input `{self.name}`"

    @property
    def is_tensor(self) -> bool:
        """Whether it is a tensor."""
        return self.type == "tensor"


class Signature:
    """The inputs and the parameters; both empty when the model has no signature.

    names: the inputs by name; empty when they have none.
    """

    def __init__(self, signature: Mapping[str, Any] | Signature | None) -> None:
        """`signature` is that of `MLmodel`, or one that was read of it before."""
        read = isinstance(signature, Signature)
        told: Any = signature or {}
        self.inputs: Sequence[Column] = (
            told.inputs if read else [Column(each) for each in _list(told.get("inputs"))]
        )
        self.params: Sequence[Mapping[str, Any]] = (
            told.params if read else _list(told.get("params"))
        )
        self.names: Mapping[Any, Column] = {
            each.name: each for each in self.inputs if each.name is not None
        }

    @property
    def is_tensor(self) -> bool:
        """Whether the inputs are tensors."""
        return bool(self.inputs) and self.inputs[0].is_tensor


def _list(value: Any) -> list[Mapping[str, Any]]:
    """MLflow stores each part of a signature as a JSON text."""
    found = json.loads(value) if isinstance(value, str) else value
    return list(found or ())
