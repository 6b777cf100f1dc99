"""The schema of data frames, series, arrays and sparse matrices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.data_types import DataType, Type
from envkit.models.inference.numbers import type_of_dtype
from envkit.models.inference.values import common_type
from envkit.models.schema import ColSpec, Schema, TensorSpec


def schema_of_frame(frame: Any) -> Schema:
    """Give a column for each of a pandas data frame; one in which something is missing is optional.

    Raises `InvalidArgument` for a column without a type, and for columns that share a name.
    """
    if not frame.columns.is_unique:
        raise InvalidArgument(
            "The data frame has several columns of one name; the model could not tell them apart."
        )
    return Schema([_column(frame[name], name) for name in frame.columns])


def schema_of_series(series: Any) -> Schema:
    """Give the one column that a pandas series is."""
    column = _column(series, series.name)
    return Schema([column if column.name is not None else ColSpec(column.type)])


def schema_of_array(array: Any) -> Schema:
    """Give the tensor that an array or a sparse matrix is; its first length may vary."""
    return Schema([_tensor(array, None)])


def schema_of_arrays(arrays: Mapping[str, Any]) -> Schema:
    """Give the tensors that arrays by name are."""
    return Schema([_tensor(array, name) for name, array in arrays.items()])


def _tensor(array: Any, name: str | None) -> TensorSpec:
    if not array.ndim:
        raise InvalidArgument(
            "An array without dimensions is no tensor; give one row: array.reshape(1)."
        )
    if not hasattr(array, "dtype"):
        dtype = getattr(array, "data", array).dtype
    else:
        dtype = array.dtype
    plain = {"U": "str", "S": "bytes"}.get(dtype.char, dtype.name)
    return TensorSpec(plain, (-1, *array.shape[1:]), name)


def _column(series: Any, name: Any) -> ColSpec:
    try:
        kind = type_of_series(series)
    except InvalidArgument as error:
        raise InvalidArgument(f"Column `{name}`: {error}") from error
    return ColSpec(kind, name, not bool(series.isna().any()))


def type_of_series(series: Any) -> Type:
    """Give the type of a column, from its values where pandas knows objects only. Raises `InvalidArgument`."""
    if str(series.dtype) == "object":
        series = series.infer_objects()
    if str(series.dtype) in ("str", "string") or str(series.dtype).startswith("string["):
        if series.notna().any():
            return DataType.string
        return common_type([None])
    if str(series.dtype) == "category":
        return _type_of_categories(series)
    if str(series.dtype) == "object":
        if len(series):
            return common_type(series.tolist())
        return DataType.string
    return type_of_dtype(series.dtype)


def _type_of_categories(series: Any) -> Type:
    if len(series):
        return common_type(series.tolist())
    return DataType.string
