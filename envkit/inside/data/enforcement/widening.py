"""Widening of Python columns and values to the types of a signature, where that is safe.

The type alone says whether it is, for whatever values. As in MLflow 3.17 it is safe to go to a
wider type of the same kind, from unsigned to wider signed whole numbers, and from whole numbers of
32 bits to `double`. A column of the dtype that the signature records stays as it is. Values count
only in these cases: zeros and ones are numbers of every kind, decimals are doubles, dates are
times, and a column that may lack values may hold whole numbers as floats next to NaN, as in pandas.
"""

from __future__ import annotations

import datetime
import decimal
from importlib import import_module
from typing import Any

from ..missing_values import is_missing
from ..signature import Column, InvalidInput, mismatch
from .conversion import NAN, NUMPY_TYPES, STRING_TYPES
from .json_values import LARGEST_EXACT
from .nested_values import NESTED_TYPES, convert_nested
from .pandas_types import as_category, as_objects, has_recorded_type
from .times import in_unit_of, times_of

BYTES_EXACT_IN_DOUBLE = 4  # of the widest whole numbers that a double holds without rounding
FLOAT_TYPES = ("float", "double")
TEXT_DTYPES = {
    "string": ("string[", "large_string[", "string_view["),
    "binary": ("binary[", "large_binary[", "fixed_size_binary["),
}
BOOLEAN_CLASSES = ("bool", "bool_")  # of Python and of NumPy
ANY_OBJECT_TYPES = (
    "string",
    "binary",
)  # columns of objects are not looked into for these


def widen_series(series: Any, column: Column) -> Any:
    """Widen a pandas Series to the column's type. Raises `InvalidInput` where that is not safe."""
    if column.type == "any":
        return series
    if column.type in NESTED_TYPES:
        return _nested_series(series, column)
    if has_recorded_type(series, column):
        return series
    if column.pandas.get("dtype") == "category":
        if str(series.dtype) == "category":
            return _category_series(series, column)
        return as_category(_basic_series(series, column), column)
    widened = _basic_series(series, column)
    if column.pandas.get("dtype") == "object":
        return as_objects(series)
    return widened


def _basic_series(series: Any, column: Column) -> Any:
    """Widen a series to one of the basic types."""
    if str(series.dtype).startswith("Sparse["):
        series = series.sparse.to_dense()
    if column.type in ANY_OBJECT_TYPES:
        return _string_series(series, column)
    if _is_object(series.dtype):
        series = _inferred(series, column)
    if column.type == "datetime":
        return _datetime_series(series, column)
    if column.type == "boolean":
        return _boolean_series(series, column)
    return _number_series(series, column)


def widen_values(
    values: list[Any],
    kind: str,
    label: str,
    required: bool,
) -> list[Any]:
    """Widen values inside of arrays, objects and maps as `widen_series` does those of a column."""
    if not values:
        return values
    column = Column({"type": kind, "required": required}, label)
    if kind in ANY_OBJECT_TYPES:
        _refuse_other_classes(values, column)
        return values
    if not required and any(map(is_missing, values)):
        return _widen_present(values, kind, label)
    widened = widen_series(import_module("pandas").Series(values), column)
    if kind == "datetime" or hasattr(values[0], "dtype"):
        return list(widened)  # pandas' and NumPy's own objects
    return list(widened.tolist())


def _widen_present(values: list[Any], kind: str, label: str) -> list[Any]:
    """Widen the values that are not missing; the others become None."""
    present = [value for value in values if not is_missing(value)]
    widened = iter(widen_values(present, kind, label, True))
    return [None if is_missing(value) else next(widened) for value in values]


def _nested_series(series: Any, column: Column) -> Any:
    """Widen what is in arrays, objects and maps."""
    widened = [
        convert_nested(
            value,
            column.spec,
            widen_values,
            column.label,
            column.required,
        )
        for value in series
    ]
    return series.__class__(
        widened,
        index=series.index,
        name=series.name,
        dtype=object,
    )


def _inferred(series: Any, column: Column) -> Any:
    """Let pandas find the dtype of objects, unless it would round large integers next to gaps."""
    inferred = series.infer_objects()
    if getattr(inferred.dtype, "kind", "") == "f":
        for value in series:
            if isinstance(value, int) and abs(value) > LARGEST_EXACT:
                raise column.mismatch("has a missing value and a number too large for a float")
    return inferred


def _category_series(series: Any, column: Column) -> Any:
    """Accept a category whose values fit, and leave it one."""
    present = series.__class__(series.cat.categories)
    _basic_series(present, Column({**column.spec, "required": True}, column.label))
    if column.required and bool(series.isna().any()) and column.type not in FLOAT_TYPES:
        raise column.mismatch("must not be null")
    return series


def _string_series(series: Any, column: Column) -> Any:
    """Accept strings, and objects whatever they are: the type of the column does not show it."""
    dtype = str(series.dtype)
    if _is_object(dtype) or dtype in STRING_TYPES or dtype.startswith(TEXT_DTYPES[column.type]):
        return series
    raise _unsafe(series, column)


def _boolean_series(series: Any, column: Column) -> Any:
    """Accept booleans only, of Python, NumPy or pandas."""
    if series.dtype == bool:
        return series
    if str(series.dtype) in ("boolean", "bool[pyarrow]"):
        if not column.required and series.isna().any():
            return series
        return _cast(series, "bool", column)
    if _is_object(series.dtype) and all(map(_is_boolean_or_missing, series)):
        return series
    raise _unsafe(series, column)


def _datetime_series(series: Any, column: Column) -> Any:
    """Convert dates and texts to times; times keep their resolution."""
    dtype = series.dtype
    if getattr(dtype, "tz", None) is not None:
        raise mismatch(f"{column.label_with_type} must have no time zone; it is {dtype}")
    if getattr(dtype, "kind", "") == "M":
        return in_unit_of(series, column)
    is_object = _is_object(dtype)
    if str(dtype) == "str" or (is_object and all(map(_is_date_or_missing, series))):
        return times_of(series, column, _dtype_without_zone(column))
    raise _unsafe(series, column)


def _dtype_without_zone(column: Column) -> str:
    """Give the recorded dtype of times, if it is NumPy's."""
    dtype = str(column.pandas.get("dtype", ""))
    return dtype if dtype.startswith("datetime64") and "," not in dtype else ""


def _number_series(series: Any, column: Column) -> Any:
    """Widen numbers, and what counts as numbers of a kind because of the values."""
    target = import_module("numpy").dtype(NUMPY_TYPES[column.type])
    dtype = series.dtype
    if dtype == target:
        return series
    is_whole_target = target.kind == "i"
    if _is_wider(target, dtype) or _is_zeros_and_ones_for_floats(series, target):
        if is_whole_target and not column.required and series.isna().any():
            return series  # of a pandas type that holds gaps
        return _cast(series, target, column)
    is_objects = column.type == "double" and _is_object(dtype)
    if is_objects and all(map(_is_double_or_missing, series)):
        doubles = series.map(_as_double)
        return _cast(doubles, target, column)
    if is_whole_target and not column.required and _is_whole_with_gaps(series, target):
        return series
    raise _unsafe(series, column)


def _is_wider(target: Any, source: Any) -> bool:
    """Whether the type `target` holds every value of the type `source`."""
    kind = getattr(source, "kind", "")
    size = getattr(source, "itemsize", None)
    if size is None or str(source) == "category":
        return False
    if kind not in ("i", "u", "f"):
        return False
    if kind == target.kind:
        return bool(size <= target.itemsize)
    if kind == "u" and target.kind == "i":
        return bool(size < target.itemsize)
    return bool(kind in "iu" and target == "float64" and size <= BYTES_EXACT_IN_DOUBLE)


def _is_zeros_and_ones_for_floats(series: Any, target: Any) -> bool:
    """Whether the target is a float, and all values are 0 or 1."""
    if target.kind != "f" or series.dtype != "int64":
        return False
    return bool(series.isin([0, 1]).all())


def _is_whole_with_gaps(series: Any, target: Any) -> bool:
    """Whether some values are missing, and all others are whole numbers that the target holds."""
    present = series.dropna()
    if not len(present):
        return True
    has_gaps = len(present) < len(series)
    if not has_gaps or getattr(present.dtype, "kind", "") != "f":
        return False
    numpy = import_module("numpy")
    largest = min(numpy.iinfo(target).max, LARGEST_EXACT)
    is_whole = numpy.floor(present) == present
    is_exact = is_whole & (abs(present) <= largest)
    return bool(is_exact.all())


def _is_boolean_or_missing(value: Any) -> bool:
    return is_missing(value) or type(value).__name__ in BOOLEAN_CLASSES


def _is_date_or_missing(value: Any) -> bool:
    return is_missing(value) or isinstance(value, (datetime.date, str))


def _is_double_or_missing(value: Any) -> bool:
    """Whether a double holds the value of a column of objects."""
    # whole numbers stand in such a column only next to missing values: else they have a type
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) <= LARGEST_EXACT
    return is_missing(value) or isinstance(value, (float, decimal.Decimal))


def _as_double(value: Any) -> float:
    if is_missing(value):
        return NAN
    return float(value)


def _is_object(dtype: Any) -> bool:
    return str(dtype) == "object"


def _cast(series: Any, dtype: Any, column: Column) -> Any:
    """Convert a series, whose type says that this is safe."""
    try:
        return series.astype(dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise mismatch(
            f"{column.label_with_type} cannot be converted from {series.dtype}: {error}"
        ) from error


def _refuse_other_classes(values: list[Any], column: Column) -> None:
    """Raise `InvalidInput` for values that are neither strings nor, for `binary`, bytes."""
    accepted: Any = (str,)
    if column.type == "binary":
        accepted = (bytes, bytearray)
    for value in values:
        may_be_missing = not column.required and is_missing(value)
        if not isinstance(value, accepted) and not may_be_missing:
            kind = type(value).__name__
            raise column.mismatch(f"must have values of type {column.type}, not {kind}")


def _unsafe(series: Any, column: Column) -> InvalidInput:
    """Make the error for a column whose type is not safely converted."""
    message = (
        f"{column.label} has the type {series.dtype}, "
        f"which cannot be safely converted to {column.type}"
    )
    is_whole_column = column.type in ("integer", "long")
    has_floats = getattr(series.dtype, "kind", "") == "f"
    if is_whole_column and has_floats and series.isna().any():
        message += (
            ". Values are missing, and pandas stores whole numbers with missing values as floats: "
            "make the input optional in the signature, or of type double"
        )
    return mismatch(message)
