"""Sparse dtypes of pandas by their names, which pandas itself reads without the fill value only."""

from __future__ import annotations

from importlib import import_module
from typing import Any

FILL_VALUES = {
    "nan": float("nan"),
    "True": True,
    "False": False,
}


def is_sparse(dtype: str) -> bool:
    """Whether a name is that of a sparse dtype."""
    return dtype.startswith("Sparse[")


def sparse_array(values: Any, dtype: str) -> Any:
    """Make a sparse array: `dtype` as in `Sparse[float64, 0.0]`."""
    pandas = import_module("pandas")
    subtype, _, fill = dtype[len("Sparse[") : -1].partition(", ")
    if fill in FILL_VALUES:
        fill_value = FILL_VALUES[fill]
    elif subtype.startswith("float"):
        fill_value = float(fill or "nan")
    else:
        fill_value = int(fill or "0")
    return pandas.arrays.SparseArray(values, dtype=pandas.SparseDtype(subtype, fill_value))
