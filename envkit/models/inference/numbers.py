"""The type of a column, from its NumPy or pandas dtype."""

from __future__ import annotations

from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.data_types import DataType

_BY_KIND = {
    "b": DataType.boolean,
    "U": DataType.string,
    "S": DataType.binary,
    "M": DataType.datetime,
}
_REMEDIES = {
    "u": "Convert it to int64 or float64.",
    "f": "Convert it to int64 or float64.",
    "c": "Use two columns: `.to_numpy().real` and `.to_numpy().imag`.",
    "m": "Convert it to seconds: `.dt.total_seconds()`.",
}


def type_of_dtype(dtype: Any) -> DataType:
    """Return the narrowest type for all values of a dtype; raise `InvalidArgument` if none fits."""
    if kind := _BY_KIND.get(dtype.kind) or _number(dtype):
        return kind
    remedy = _REMEDIES.get(dtype.kind, "Make texts of it: `.astype(str)`.")
    raise InvalidArgument(f"A signature has no type for values of {dtype}. {remedy}")


def _number(dtype: Any) -> DataType | None:
    size = getattr(dtype, "itemsize", 8)
    if dtype.kind == "u":
        # The types of a signature are signed: they need one bit more.
        return _integer(size * 2)
    if dtype.kind == "i":
        return _integer(size)
    if dtype.kind == "f" and size <= 4:
        return DataType.float
    if dtype.kind == "f" and size <= 8:
        return DataType.double
    return None


def _integer(size: int) -> DataType | None:
    if size <= 4:
        return DataType.integer
    if size <= 8:
        return DataType.long
    return None
