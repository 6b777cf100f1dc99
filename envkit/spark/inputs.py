"""What a model is asked, made of the columns that Spark gives."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.request import encoded
from envkit.models.schema import TensorSpec
from envkit.models.signature import ModelSignature


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """How a model wants to be asked.

    names: of its columns or tensors, in their order, None where it has no signature or that has no
    names. required: those it cannot do without. shapes: of tensors, None for a table. raw: its type
    hints say what it takes.
    """

    names: tuple[str, ...] | None = None
    required: tuple[str, ...] = ()
    shapes: tuple[tuple[int, ...], ...] | None = None
    raw: bool = False

    @classmethod
    def of(cls, signature: ModelSignature | None, *, raw: bool = False) -> Inputs:
        """Read it from a signature."""
        schema = signature.inputs if signature is not None else None
        if schema is None:
            return cls(raw=raw)
        specs = list(schema)
        tensors = [each.shape for each in specs if isinstance(each, TensorSpec)]
        return cls(
            names=tuple(map(str, schema.input_names())) if schema.has_input_names() else None,
            required=tuple(map(str, schema.required_input_names()))
            if schema.has_input_names()
            else (),
            shapes=tuple(tensors) if tensors else None,
            raw=raw,
        )

    def defaults(self) -> tuple[str, ...]:
        """The columns to ask with when none are named. Raises `InvalidArgument` when the signature names none."""
        if not self.required:
            raise InvalidArgument(
                "The model's signature names no columns: call the function with columns or a struct."
            )
        return self.required

    def request(self, columns: Sequence[Any]) -> bytes:
        """Give the request for a batch: pandas Series, or one DataFrame for a struct. Raises `ValueError`."""
        return json.dumps(self._request(_frame(columns, self._named(len(columns))))).encode("utf-8")

    def _named(self, count: int) -> tuple[str, ...]:
        if self.names is None:
            return tuple(map(str, range(count)))
        if count > len(self.names):
            raise ValueError(f"the model takes {len(self.names)} columns, not {count}")
        missing = [each for each in self.required if each not in self.names[:count]]
        if missing and count > 1:
            raise ValueError(
                f"the model needs the columns {', '.join(self.required)}: {', '.join(missing)} not given"
            )
        return self.names[:count]

    def _request(self, table: dict[str, list[Any]]) -> dict[str, Any]:
        if self.shapes is not None:
            return {"inputs": self._tensors(table, self.shapes)}
        rows = [list(row) for row in zip(*table.values(), strict=True)]
        if self.raw:
            records = [dict(zip(table, row, strict=True)) for row in rows]
            return {"inputs": [row[0] for row in rows] if len(table) == 1 else records}
        return {"dataframe_split": {"columns": list(table), "data": rows}}

    def _tensors(self, table: dict[str, list[Any]], shapes: tuple[tuple[int, ...], ...]) -> Any:
        if self.names is None:
            values = list(table.values())
            if len(values) == 1:
                rows = values[0]
            else:
                rows = [list(row) for row in zip(*values, strict=True)]
            return [_shaped(row, shapes[0][1:]) for row in rows]
        known = dict(zip(self.names, shapes, strict=True))
        return {
            name: [_shaped(row, known.get(name, (-1,))[1:]) for row in rows]
            for name, rows in table.items()
        }


def _frame(columns: Sequence[Any], names: Sequence[str]) -> dict[str, list[Any]]:
    """Give the values by column, as JSON has them; the fields of the one struct, when there is but one argument."""
    if len(columns) == 1 and hasattr(columns[0], "columns"):
        frame = columns[0]
        return {str(name): _values(frame[name]) for name in frame.columns}
    return {name: _values(column) for name, column in zip(names, columns, strict=True)}


def _values(column: Any) -> list[Any]:
    if hasattr(column, "columns"):  # a struct among several arguments
        return [encoded(row) for row in column.to_dict(orient="records")]
    return [encoded(_plain(each)) for each in column.tolist()]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None  # so Spark's nulls arrive; a NaN of its own cannot be told from them
    if hasattr(value, "asDict"):
        return value.asDict(recursive=True)
    return value


def _shaped(value: Any, shape: Sequence[int]) -> Any:
    """Give a flat list the shape of one row of a tensor, in C order. Raises `ValueError`."""
    if not shape or not isinstance(value, list) or (value and isinstance(value[0], list)):
        return value
    if len(shape) == 1:
        if shape[0] not in (-1, len(value)):
            raise ValueError(
                f"an array of {len(value)} values is no tensor of shape {tuple(shape)}"
            )
        return value
    if shape[0] != -1:
        count = shape[0]
    else:
        count = len(value) // max(1, math.prod(abs(each) for each in shape[1:]))
    size, rest = divmod(len(value), count) if count else (0, len(value))
    if rest:
        raise ValueError(f"an array of {len(value)} values is no tensor of shape {tuple(shape)}")
    return [_shaped(value[start : start + size], shape[1:]) for start in range(0, len(value), size)]
