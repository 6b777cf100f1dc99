"""The schema of data frames, series, arrays and sparse matrices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.data_types import DataType, Type
from envkit.models.inference import pandas_types
from envkit.models.inference.numbers import type_of_dtype
from envkit.models.inference.values import common_type
from envkit.models.schema import ColSpec, Schema, TensorSpec

_TEXT_DTYPES = ("str", "string")
_TEXT_PREFIXES = ("string[", "large_string[", "string_view[")
_BINARY_PREFIXES = ("binary[", "large_binary[", "fixed_size_binary[")
_UNSIZED = {"U": "str", "S": "bytes"}  # by the character of a `numpy.dtype`


def schema_of_frame(frame: Any) -> Schema:
    """Return the columns of a pandas DataFrame; a column with missing values is optional.

    Raises `InvalidArgument` for a column without a type and for columns of the same name.
    """
    if not frame.columns.is_unique:
        raise InvalidArgument(
            "Several columns of the data frame have the same name; give them different names."
        )
    pandas_types.check_names(frame.columns)
    return Schema([_column(frame[name], name) for name in frame.columns])


def schema_of_series(series: Any) -> Schema:
    """Return the one column of a pandas Series; without a name it is required."""
    column = _column(series, series.name)
    if column.name is None:
        column = ColSpec(column.type)
    return Schema([column])


def schema_of_array(array: Any) -> Schema:
    """Return the tensor of an array or a sparse matrix; its first dimension varies."""
    return Schema([_tensor(array, None)])


def schema_of_arrays(arrays: Mapping[str, Any]) -> Schema:
    """Return the tensors of arrays by name."""
    return Schema([_tensor(array, name) for name, array in arrays.items()])


def type_of_series(series: Any) -> Type:
    """Return the type of a column, from its values if pandas only knows objects."""
    if str(series.dtype) == "object":
        series = series.infer_objects()
    dtype = str(series.dtype)
    if dtype in _TEXT_DTYPES or dtype.startswith(_TEXT_PREFIXES):
        if series.notna().any() or dtype.endswith("[pyarrow]"):
            return DataType.string
        return common_type([None])
    if dtype.startswith(_BINARY_PREFIXES):
        return DataType.binary
    if dtype == "category":
        return _type_of_categories(series.cat.categories)
    if dtype.startswith("Sparse["):
        return type_of_dtype(series.dtype.subtype)
    if dtype == "object":
        if len(series):
            return common_type(series.tolist())
        return DataType.string
    if dtype.startswith("date32"):
        return DataType.datetime
    if dtype.endswith("[pyarrow]") and series.dtype.kind == "O":
        raise InvalidArgument(
            f"A signature has no type for values of {dtype}. Convert it, for "
            "example with `.astype(float)`, `.astype(str)` or `.astype(object)`."
        )
    return type_of_dtype(series.dtype)


def _type_of_categories(categories: Any) -> Type:
    """Return the type of a category: that of its categories, whether they occur or not."""
    if len(categories):
        return type_of_series(categories.to_series())
    return DataType.string


def _tensor(array: Any, name: str | None) -> TensorSpec:
    if not array.ndim:
        raise InvalidArgument(
            "An array without dimensions is not a tensor; make it one row: array.reshape(1)."
        )
    # Some sparse formats have a dtype only on the array of their values.
    values = array if hasattr(array, "dtype") else array.data
    dtype = values.dtype
    plain_dtype = _UNSIZED.get(dtype.char, dtype.name)
    shape = (-1, *array.shape[1:])
    return TensorSpec(plain_dtype, shape, name)


def _column(series: Any, name: Any) -> ColSpec:
    try:
        kind = type_of_series(series)
    except InvalidArgument as error:
        raise InvalidArgument(f"Column `{name}`: {error}") from error
    has_gaps = bool(series.isna().any())
    return ColSpec(kind, name, not has_gaps, pandas_types.record(series, kind, has_gaps=has_gaps))
