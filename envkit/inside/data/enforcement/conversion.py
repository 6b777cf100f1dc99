"""Conversion of columns and arrays of JSON and CSV values to the types of a signature.

No value is changed to fit: 2.5 is not a `long`, a string is not a `boolean`.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any, Callable

from ..signature import Column, InvalidInput
from .json_values import LARGEST_EXACT, convert_values, decode_base64
from .nested_values import NESTED_TYPES, convert_nested
from .pandas_types import restored
from .times import times_of

NUMPY_TYPES = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
}
READ_AS = {
    "int64",
    "float64",
}  # the types that pandas gives numbers of JSON and CSV
STRING_TYPES = ("str", "string")
NAN = float("nan")


def convert_to_doubles(frame: Any) -> Any:
    """Convert a data frame of numbers to doubles, all columns at once: fast also for wide ones."""
    if {str(dtype) for dtype in frame.dtypes} <= READ_AS:
        return frame.astype("float64")
    return frame


def convert_series(series: Any, column: Column) -> Any:
    """Convert a pandas Series to the column's type. Raises `InvalidInput`."""
    if column.is_tensor:
        return _tensor_series(series, column)
    if column.type in NESTED_TYPES:
        return _nested_series(series, column)
    if column.pandas.get("dtype"):
        return restored(series, column)
    if column.type == "binary":
        return series.map(lambda value: _decode(value, column))
    if column.type == "datetime":
        return times_of(series, column)
    if column.type in NUMPY_TYPES:
        return _number_series(series, column)
    if column.type == "string" and str(series.dtype) == "object":
        series = series.infer_objects()  # texts are `str` in pandas 3
    if column.type == "string" and str(series.dtype) not in STRING_TYPES:
        return _string_series(series, column)
    return series


def convert_array(data: Any, column: Column | None) -> Any:
    """Convert JSON values to a NumPy array, or a scalar, of the column's type.

    Raises `InvalidInput`.
    """
    if column is None:
        return _array(data, None, "the input")
    label = column.label_with_type
    if column.is_tensor:
        array = _array(data, None, label)
        return _exact(array, column.dtype or "", column)
    if column.type == "binary":
        return _decode_all(data, column)
    if column.type == "datetime":
        return _array(data, "datetime64[ns]", label)[()]
    if column.type in NUMPY_TYPES:
        array = _array(data, None, label)
        array = _exact(array, NUMPY_TYPES[column.type], column)
    elif column.type == "string":
        array = _array(data, str, label)
    else:
        return data
    if isinstance(data, (list, import_module("numpy").ndarray)):
        return array
    return array[()]


def _tensor_series(series: Any, column: Column) -> Any:
    """Convert a column of numbers; one of lists stays."""
    if len(series) and isinstance(series.iloc[0], (list, tuple)):
        return series  # rows of several values, which become an array later
    return _exact_series(series, column.dtype or "", column)


def _nested_series(series: Any, column: Column) -> Any:
    """Convert arrays, objects and maps one by one."""
    converted = [
        convert_nested(
            value,
            column.spec,
            convert_values,
            column.label,
            column.required,
        )
        for value in series
    ]
    return series.__class__(
        converted,
        index=series.index,
        name=series.name,
        dtype=object,
    )


def _string_series(series: Any, column: Column) -> Any:
    """Refuse objects and lists; numbers stay numbers, as with MLflow."""
    for value in series:
        if column.holds_nested_texts:
            break
        if isinstance(value, dict):
            raise column.invalid("must be a string, not an object")
        if isinstance(value, list):
            raise column.invalid("must be a string, not a list")
    return series.astype(object)


def _number_series(series: Any, column: Column) -> Any:
    """Convert to numbers or booleans."""
    dtype = NUMPY_TYPES[column.type]
    if str(series.dtype) == dtype:
        return series
    if column.type in ("float", "double"):
        series = series.where(series.notna(), NAN)
    elif series.isna().any():
        if column.required:
            raise column.invalid("must not be null")
        return _series_with_gaps(series, column)
    return _exact_series(series, dtype, column)


def _series_with_gaps(series: Any, column: Column) -> Any:
    """Convert what is there: whole numbers to floats next to NaN, booleans next to None."""
    is_present = series.notna()
    present = _exact_series(series[is_present], NUMPY_TYPES[column.type], column)
    if column.type == "boolean":
        gap, dtype = None, "object"
    else:
        gap, dtype = NAN, "float64"
        if (present.abs() > LARGEST_EXACT).any():
            raise column.invalid("has null and a number that is too large for a float")
    numpy = import_module("numpy")
    array = numpy.full(len(series), gap, dtype=dtype)
    array[is_present.to_numpy()] = present.to_numpy()
    return series.__class__(array, index=series.index, name=series.name)


def _exact_series(series: Any, dtype: str, column: Column) -> Any:
    """Convert a series, or raise `InvalidInput` if that would change a value."""
    array = _array(series.tolist(), None, column.label_with_type)
    converted = _exact(array, dtype, column)
    return series.__class__(converted, index=series.index, name=series.name)


def _exact(array: Any, dtype: str, column: Column) -> Any:
    """Convert an array, or raise `InvalidInput` if that would change a value."""
    numpy = import_module("numpy")
    target = numpy.dtype(dtype)
    if array.dtype == target or array.size == 0 or target.kind in "UOS":
        return array.astype(target)
    if array.dtype.kind in "UO" and target.kind in "iuf":
        array = _read_numbers(array, target, column)
    if target.kind == "b":
        _refuse_not_boolean(array, column)
    elif target.kind in "iu":
        _refuse_not_whole(array, target, column)
    try:
        return array.astype(target)
    except (TypeError, ValueError, OverflowError) as error:
        raise column.invalid(f"is not valid: {error}") from error


def _read_numbers(array: Any, target: Any, column: Column) -> Any:
    """Read strings as numbers: whole ones for whole types, so that "2.5" is not cut."""
    read: Callable[[Any], Any] = float
    if target.kind in "iu":
        read = int
    numbers = []
    for value in array.ravel().tolist():
        if value is None and read is float:
            numbers.append(NAN)
        elif isinstance(value, float):
            numbers.append(value)
        else:
            numbers.append(_read_number(read, value, column))
    return _array(numbers, None, column.label_with_type).reshape(array.shape)


def _read_number(read: Callable[[Any], Any], value: Any, column: Column) -> Any:
    try:
        return read(value)
    except (TypeError, ValueError) as error:
        raise column.invalid(f"must be a number: {error}") from error


def _refuse_not_boolean(array: Any, column: Column) -> None:
    """Raise `InvalidInput` for anything but booleans, zeros and ones."""
    values = array.ravel()
    if array.dtype.kind in "iuf":
        is_boolean = import_module("numpy").isin(values, (0, 1))
        values = values[~is_boolean]
    if values.size:
        wrong = values.tolist()[0]
        raise column.invalid(f"must be true or false, not {wrong!r}")


def _refuse_not_whole(array: Any, target: Any, column: Column) -> None:
    """Raise `InvalidInput` for a number that the whole type `target` does not hold."""
    numpy = import_module("numpy")
    if array.dtype.kind == "f":
        is_whole = numpy.isfinite(array) & (numpy.floor(array) == array)
        is_exact = is_whole & (abs(array) <= LARGEST_EXACT)
        wrong = array[~is_exact]
        if wrong.size:
            raise column.invalid(f"must be a whole number, not {wrong[0]}")
    if array.dtype.kind not in "iufO":
        return
    limits = numpy.iinfo(target)
    is_too_small = array.min() < limits.min
    if is_too_small or array.max() > limits.max:
        bits = target.itemsize * 8
        raise column.invalid(f"does not fit into {bits} bits")


def _decode(value: Any, column: Column) -> Any:
    """Decode one base64 string; a missing one stays where it is allowed."""
    if value is None and not column.required:
        return value
    return decode_base64(value, column.type, column.label)


def _decode_all(data: Any, column: Column) -> Any:
    """Decode base64 strings in lists of any depth."""
    if isinstance(data, list):
        return [_decode_all(item, column) for item in data]
    return _decode(data, column)


def _array(data: Any, dtype: Any, label: str) -> Any:
    """Make an array; `label` names the data in messages. Raises `InvalidInput`."""
    numpy = import_module("numpy")
    try:
        with warnings.catch_warnings():
            # old versions of NumPy make arrays of objects from ragged lists, with a warning
            warnings.simplefilter("error")
            if dtype is None:
                return numpy.array(data)
            return numpy.array(data, dtype=dtype)
    except (ValueError, TypeError, OverflowError, Warning) as error:
        raise InvalidInput(f"{label}: {error}") from error
