"""Requests to a model, made of the columns that Spark passes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.request import encoded
from envkit.models.schema import TensorSpec
from envkit.models.signature import ModelSignature

Table = dict[str, list[Any]]
"""JSON values by column."""

Shape = tuple[int, ...]
"""The lengths of a tensor's dimensions; -1 for any."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """What a model takes.

    names: of its columns or tensors, in order; None without a signature, or with one that has no
    names. required: the names of those that must be passed. shapes: of its tensors; None for a
    table. raw: its type hints say what it takes. rows: they say objects, one for each row.
    """

    names: tuple[str, ...] | None = None
    required: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] | None = None
    raw: bool = False
    rows: bool = False

    @classmethod
    def of(cls, signature: ModelSignature | None, *, raw: bool = False) -> Inputs:
        """Read it from a signature."""
        if signature is None or signature.inputs is None:
            return cls(raw=raw)
        schema = signature.inputs
        shapes = [spec.shape for spec in schema if isinstance(spec, TensorSpec)]
        if not schema.has_input_names():
            takes_rows = raw and schema.input_types()[0].to_dict()["type"] in ("object", "map")
            return cls(shapes=tuple(shapes) or None, raw=raw, rows=takes_rows)
        return cls(
            names=_texts(schema.input_names()),
            required=_texts(schema.required_input_names()),
            shapes=tuple(shapes) or None,
            raw=raw,
        )

    def default_columns(self) -> tuple[str, ...]:
        """Give the columns to use when none are passed.

        Raises `InvalidArgument` when the signature names none.
        """
        if not self.required:
            raise InvalidArgument(
                "The model's signature has no column names: call the function with columns or a "
                "struct."
            )
        return self.required

    def request(self, columns: Sequence[Any], params: dict[str, Any] | None = None) -> bytes:
        """Give the JSON request for a batch: pandas Series, or the one DataFrame of a struct.

        Raises `ValueError`.
        """
        if len(columns) == 1 and _is_struct(columns[0]):
            table = _struct_table(columns[0])
            is_struct = True
        else:
            table = _table(columns, self._names_of(len(columns)))
            is_struct = False
        request = self._request(table, has_names=is_struct)
        if params is not None:
            request["params"] = params
        return json.dumps(request).encode("utf-8")

    def _names_of(self, count: int) -> tuple[str, ...]:
        """Give the names of this number of columns."""
        if self.names is None:
            return _texts(range(count))
        if count > len(self.names):
            raise ValueError(f"the model takes {len(self.names)} columns, not {count}")
        names = self.names[:count]
        missing = [name for name in self.required if name not in names]
        # The worker reports what a single column lacks, by the types of the signature.
        if missing and count > 1:
            required = ", ".join(self.required)
            raise ValueError(
                f"the model requires the columns {required}; {', '.join(missing)} is missing"
            )
        return names

    def _request(self, table: Table, *, has_names: bool) -> dict[str, Any]:
        if self.shapes is not None:
            return {"inputs": self._tensors(table, self.shapes)}
        if not self.raw:
            return {"dataframe_split": {"columns": list(table), "data": _rows(table)}}
        if len(table) == 1 and not (self.rows and has_names):
            (values,) = table.values()
            return {"inputs": values}
        records = [dict(zip(table, row, strict=True)) for row in _rows(table)]
        return {"inputs": records}

    def _tensors(self, table: Table, shapes: tuple[Shape, ...]) -> Any:
        if self.names is None:
            (values, *others) = table.values()
            if others:
                values = _rows(table)
            return _tensor(values, shapes[0])
        shape_of = dict(zip(self.names, shapes, strict=True))
        tensors = {}
        for name, values in table.items():
            # A struct may have fields that the signature does not name.
            tensors[name] = _tensor(values, shape_of.get(name, (-1,)))
        return tensors


def _texts(names: Iterable[object]) -> tuple[str, ...]:
    return tuple(str(name) for name in names)


def _rows(table: Table) -> list[Any]:
    return [list(row) for row in zip(*table.values(), strict=True)]


def _is_struct(column: Any) -> bool:
    """Spark passes a struct as a DataFrame, every other column as a Series."""
    return hasattr(column, "columns")


def _struct_table(struct: Any) -> Table:
    table = {}
    for name in struct.columns:
        table[str(name)] = _values(struct[name])
    return table


def _table(columns: Sequence[Any], names: Sequence[str]) -> Table:
    table = {}
    for name, column in zip(names, columns, strict=True):
        table[name] = _values(column)
    return table


def _values(column: Any) -> list[Any]:
    if _is_struct(column):
        values = column.to_dict(orient="records")
    else:
        values = [_plain(value) for value in column.tolist()]
    return [encoded(value) for value in values]


def _plain(value: Any) -> Any:
    # Spark passes nulls of numeric columns as NaN; they cannot be distinguished from a real NaN.
    if isinstance(value, float) and math.isnan(value):
        return None
    if hasattr(value, "asDict"):  # a row of Spark
        return value.asDict(recursive=True)
    return value


def _tensor(rows: list[Any], shape: Shape) -> list[Any]:
    """Give flat rows the shape of a tensor, whose first dimension counts the rows."""
    return [_reshape(row, shape[1:]) for row in rows]


def _reshape(row: Any, shape: Shape) -> Any:
    """Give a flat list a shape, in C order; what is nested already stays as it is.

    Raises `ValueError`.
    """
    if not shape or not isinstance(row, list):
        return row
    if row and isinstance(row[0], list):
        return row
    first, *inner = shape
    if not inner:
        if first not in (-1, len(row)):
            raise _wrong_size(row, shape)
        return row
    if first == -1:
        first = len(row) // max(1, math.prod(abs(length) for length in inner))
    if first == 0 and not row:
        return []
    length = len(row) // max(1, first)
    if length == 0 or length * first != len(row):
        raise _wrong_size(row, shape)
    starts = range(0, len(row), length)
    return [_reshape(row[start : start + length], tuple(inner)) for start in starts]


def _wrong_size(row: list[Any], shape: Shape) -> ValueError:
    return ValueError(f"an array of {len(row)} values cannot have the shape {shape}")
