"""Values of the types that a signature names, from the values that JSON and CSV have.

No value is cut to fit: a 2.5 is no `long`, a text is no `boolean`.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

from .nested import NESTED, fit
from .signature import Column, InvalidInput
from .values import EXACT, decoded, from_json

NUMPY = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
}
NUMBERS = {"int64", "float64"}  # what pandas makes of the numbers of JSON and CSV


def as_doubles(frame: Any) -> Any:
    """Give a data frame of numbers as one of doubles, all columns at once, which is what makes wide ones quick."""
    if {str(dtype) for dtype in frame.dtypes} <= NUMBERS:
        return frame.astype("float64")
    return frame


def cast_series(values: Any, column: Column) -> Any:
    """Give a pandas Series of the column's type. Raises `InvalidInput`."""
    if column.is_tensor:
        return _cast_tensor_column(values, column)
    if column.type in NESTED:
        found = [
            fit(each, column.spec, from_json, column.where, column.required) for each in values
        ]
        return values.__class__(found, index=values.index, name=values.name, dtype=object)
    if column.type == "binary":
        return values.map(lambda each: _decode(each, column))
    if column.type == "datetime":
        return _cast_datetimes(values, column)
    if column.type in NUMPY:
        return _cast_numbers(values, column)
    if column.type == "string" and str(values.dtype) not in ("str", "string"):
        return _without_structure(values.astype(object), column)
    return values


def _without_structure(values: Any, column: Column) -> Any:
    """Refuse what cannot be meant as a text; numbers stay, as with MLflow."""
    for value in values:
        if isinstance(value, (dict, list)):
            raise InvalidInput(
                f"{_what(column)} takes texts, not {'an object' if isinstance(value, dict) else 'a list'}"
            )
    return values


def cast_array(data: Any, column: Column | None) -> Any:
    """Give a NumPy array (a scalar for a scalar) of the column's type. Raises `InvalidInput`."""
    numpy = import_module("numpy")
    if column is None:
        return _array(data, None, "the input")
    if column.is_tensor:
        found = _array(data, None, _what(column))
        return _exactly(found, column.dtype or "", column)
    if column.type == "binary":
        return _each(data, lambda value: _decode(value, column))
    if column.type == "datetime":
        return _array(data, "datetime64[ns]", _what(column))[()]
    if column.type in NUMPY:
        found = _exactly(_array(data, None, _what(column)), NUMPY[column.type], column)
        if isinstance(data, (list, numpy.ndarray)):
            return found
        return found[()]
    if column.type == "string":
        found = _array(data, str, _what(column))
        if isinstance(data, (list, numpy.ndarray)):
            return found
        return found[()]
    return data


def _cast_numbers(values: Any, column: Column) -> Any:
    if str(values.dtype) == NUMPY[column.type]:
        return values
    if column.type in ("float", "double"):
        values = values.where(values.notna(), float("nan"))
    elif values.isna().any():
        if column.required:
            raise InvalidInput(f"{_what(column)} holds null")
        return _beside_gaps(values, column)
    return _series(values, NUMPY[column.type], column)


def _beside_gaps(values: Any, column: Column) -> Any:
    """Whole numbers become floats beside NaN, as pandas has them; truth values stay beside None."""
    found = _series(values[values.notna()], NUMPY[column.type], column)
    if column.type != "boolean" and (found.abs() > EXACT).any():
        raise InvalidInput(
            f"{_what(column)} holds null, and beside it a number that no float holds"
        )
    gaps, filler = values.isna().to_numpy(), None if column.type == "boolean" else float("nan")
    array = import_module("numpy").full(
        len(values), filler, dtype=object if filler is None else "float64"
    )
    array[~gaps] = found.to_numpy()
    return values.__class__(array, index=values.index, name=values.name)


def _series(values: Any, dtype: str, column: Column) -> Any:
    array = _exactly(_array(values.tolist(), None, _what(column)), dtype, column)
    return values.__class__(array, index=values.index, name=values.name)


def _exactly(array: Any, dtype: str, column: Column) -> Any:
    """Convert an array, or refuse if that would change a value."""
    numpy = import_module("numpy")
    wanted = numpy.dtype(dtype)
    if array.dtype == wanted or array.size == 0 or wanted.kind in "UOS":
        return array.astype(wanted)
    if array.dtype.kind in "UO" and wanted.kind in "iuf":
        array = _numbers(array, wanted, column)
    if wanted.kind == "b" and not (array.dtype.kind in "iuf" and numpy.isin(array, (0, 1)).all()):
        raise InvalidInput(f"{_what(column)} takes true and false only, not {_first(array)}")
    if wanted.kind in "iu":
        _refuse_inexact(array, wanted, column)
    try:
        return array.astype(wanted)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"{_what(column)}: {error}") from error


def _numbers(array: Any, wanted: Any, column: Column) -> Any:
    """Read texts as numbers: whole ones for whole types, so that "2.5" and huge values are not cut."""
    read = int if wanted.kind in "iu" else float
    given = [
        float("nan") if each is None and read is float else each for each in array.ravel().tolist()
    ]
    try:
        flat = [each if isinstance(each, float) else read(each) for each in given]
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{_what(column)} takes numbers only: {error}") from error
    return _array(flat, None, _what(column)).reshape(array.shape)


def _refuse_inexact(array: Any, wanted: Any, column: Column) -> None:
    numpy = import_module("numpy")
    if array.dtype.kind == "f":
        wrong = array[
            ~(numpy.isfinite(array) & (numpy.floor(array) == array) & (abs(array) <= EXACT))
        ]
        if wrong.size:
            raise InvalidInput(f"{_what(column)} takes whole numbers only, not {wrong[0]}")
    limits = numpy.iinfo(wanted)
    if array.dtype.kind in "iufO" and (array.min() < limits.min or array.max() > limits.max):
        raise InvalidInput(
            f"{_what(column)} holds a number that does not fit into {wanted.itemsize * 8} bits"
        )


def _cast_tensor_column(values: Any, column: Column) -> Any:
    if len(values) and isinstance(values.iloc[0], (list, tuple)):
        return values
    return _series(values, column.dtype or "", column)


def _cast_datetimes(values: Any, column: Column) -> Any:
    pandas = import_module("pandas")
    try:
        found = pandas.to_datetime(values)
    except (ValueError, TypeError, OverflowError) as error:
        # advice for those who call pandas themselves
        said = str(error).partition(". You might want")[0]
        raise InvalidInput(f"{_what(column)}: {said}") from error
    if getattr(found.dtype, "tz", None) is not None or found.dtype == object:
        raise InvalidInput(f"{_what(column)} takes times without a time zone only")
    # pandas 3 reads microseconds; the type has nanoseconds
    if getattr(found.dt, "unit", "ns") != "ns":
        found = found.dt.as_unit("ns")
    return found


def _decode(value: Any, column: Column) -> Any:
    if value is None and not column.required:
        return value
    return decoded(value, column.type, column.where)


def _each(data: Any, convert: Any) -> Any:
    if isinstance(data, list):
        return [_each(value, convert) for value in data]
    return convert(data)


def _array(data: Any, dtype: Any, what: str) -> Any:
    numpy = import_module("numpy")
    try:
        with warnings.catch_warnings():
            # old NumPy makes ragged lists arrays of objects, with a warning
            warnings.simplefilter("error")
            if dtype is None:
                return numpy.array(data)
            return numpy.array(data, dtype=dtype)
    except (ValueError, TypeError, OverflowError, Warning) as error:
        raise InvalidInput(f"{what}: {error}") from error


def _first(array: Any) -> Any:
    return repr(array.ravel().tolist()[0])


def _what(column: Column) -> str:
    return f"{column.where} ({column})"
