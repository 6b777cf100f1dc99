"""The type of a column, from the type that NumPy or pandas gives it."""

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


def type_of_dtype(dtype: Any) -> DataType:
    """Give the narrowest type that holds all values of a `numpy.dtype` or of a type of pandas.

    Raises `InvalidArgument` when there is none.
    """
    kind, size = dtype.kind, getattr(dtype, "itemsize", 8)
    found = _BY_KIND.get(kind)
    if kind in "iu" and (size < 4 or (kind == "i" and size == 4)):
        found = DataType.integer
    elif kind in "iu" and (size < 8 or (kind == "i" and size == 8)):
        found = DataType.long
    elif kind == "f" and size <= 8:
        found = DataType.float if size <= 4 else DataType.double
    if found is None:
        if kind in "uf":
            hint = " Convert it to int64 or float64."
        else:
            hint = ""
        raise InvalidArgument(f"A signature has no type for values of {dtype}.{hint}")
    return found
