"""The dtypes of pandas that a signature records next to the types of its columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.data_types import DataType, Type
from envkit.models.schema import ColSpec, Schema

# What a request becomes without a record.
_USUAL: Mapping[Type, tuple[str, ...]] = {
    DataType.boolean: ("bool",),
    DataType.integer: ("int32",),
    DataType.long: ("int64",),
    DataType.float: ("float32",),
    DataType.double: ("float64",),
    DataType.string: ("str",),
    DataType.binary: ("object",),
    DataType.datetime: (),
}
_USUAL_WITH_GAPS: Mapping[Type, tuple[str, ...]] = {
    **_USUAL,
    DataType.boolean: ("object",),
    DataType.integer: ("float64",),
    DataType.long: ("float64",),
}


def record(series: Any, kind: Type, *, has_gaps: bool) -> dict[str, Any] | None:
    """Return what `ColSpec.pandas` records of a column; None if its type says its dtype."""
    usual = (_USUAL_WITH_GAPS if has_gaps else _USUAL).get(kind)
    dtype = str(series.dtype)
    if usual is None or dtype in usual:
        return None
    if dtype == "object" and not _is_recorded_object(series, kind):
        return None
    if dtype == "category":
        return _category(series.dtype)
    return {"dtype": dtype}


def with_dtypes_of(schema: Schema, inferred: Schema) -> Schema:
    """Return a schema with what the inferred one records of columns of the same name and type."""
    if schema.is_tensor_spec() or inferred.is_tensor_spec() or schema.pandas_dtypes():
        return schema
    recorded_of = {(column.name, column.type): column.pandas for column in _columns(inferred)}
    return schema.with_pandas_dtypes(
        [recorded_of.get((column.name, column.type)) for column in _columns(schema)]
    )


def _columns(schema: Schema) -> list[ColSpec]:
    return [column for column in schema if isinstance(column, ColSpec)]


def check_names(names: Iterable[Any]) -> None:
    """Raise `InvalidArgument` for a name of a column that JSON does not have."""
    for name in names:
        is_number = isinstance(name, int | float) and not isinstance(name, bool)
        if isinstance(name, str) or (is_number and math.isfinite(name)):
            continue
        raise InvalidArgument(
            f"The column {name!r} has a {type(name).__name__} as its name, which JSON and "
            "signatures do not have. Make texts of the names: "
            "`df.columns = df.columns.map(str)`."
        )


def _is_recorded_object(series: Any, kind: Type) -> bool:
    """Whether a column of objects would become another dtype, and may stay one of objects."""
    if kind is DataType.string:
        # `str` is what pandas makes of texts since version 3.
        return str(type(series)(["a"]).dtype) != "object" and _has_only(series, str)
    if kind is DataType.boolean:
        return True
    return kind is DataType.long and _has_only(series, int)


def _has_only(series: Any, kind: type) -> bool:
    """Whether all values are missing as None or instances of a class of Python's own."""
    return all(value is None or type(value) is kind for value in series)


def _category(dtype: Any) -> dict[str, Any]:
    categories = dtype.categories.tolist()
    if dtype.categories.dtype.kind == "M":
        categories = [category.isoformat() for category in categories]
    return {
        "dtype": "category",
        "categories": categories,
        "ordered": bool(dtype.ordered),
        "of": str(dtype.categories.dtype),
    }
