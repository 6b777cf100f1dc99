"""Columns and values of Python in the types that a signature names, where that is safe for whatever they hold.

What is safe is told by the type alone, as in MLflow 3.17: a wider type of the same kind, unsigned
to wider signed whole numbers, whole numbers of 32 bits to `double`. Beyond the type only this
counts: zeros and ones are numbers of every kind, decimals are doubles, dates are times, and a
column that may lack values may hold whole numbers as floats beside NaN, which is how pandas has
them.
"""

from __future__ import annotations

import datetime
import decimal
from importlib import import_module
from typing import Any, List

from .columns import NUMPY
from .nested import NESTED, fit, is_missing
from .signature import Column, InvalidInput, misfit
from .values import EXACT

WIDEST_EXACT_IN_DOUBLE = 4  # bytes of a whole number, of which each value is one of a double, too


def upcast_series(values: Any, column: Column) -> Any:
    """Give a pandas Series of the column's type. Raises `InvalidInput` where that is not safe."""
    if column.type == "any":
        return values
    if column.type in NESTED:
        found = [
            fit(each, column.spec, upcast_values, column.where, column.required) for each in values
        ]
        return values.__class__(found, index=values.index, name=values.name, dtype=object)
    if _is_object(values.dtype) and column.type not in ("string", "binary"):
        values = values.infer_objects()
    if column.type in ("string", "binary"):
        return _texts(values, column)
    if column.type == "datetime":
        return _times(values, column)
    if column.type == "boolean":
        return _booleans(values, column)
    return _numbers(values, column)


def upcast_values(values: List[Any], kind: str, where: str, required: bool) -> List[Any]:
    """Give values inside of arrays, objects and maps as `upcast_series` gives those of a column."""
    if not values:
        return values
    pandas = import_module("pandas")
    column = Column({"type": kind, "required": required}, where)
    if kind in ("string", "binary"):
        _refuse_others(values, column)
        return values
    if not required and any(is_missing(each) for each in values):
        found = {index: each for index, each in enumerate(values) if not is_missing(each)}
        fitting = upcast_values(list(found.values()), kind, where, True)
        return [dict(zip(found, fitting)).get(index) for index in range(len(values))]  # noqa: B905 - Python 3.8
    series = upcast_series(pandas.Series(values), column)
    if kind == "datetime" or hasattr(values[0], "dtype"):
        return list(series)
    return list(series.tolist())


def _texts(values: Any, column: Column) -> Any:
    """Columns of objects may hold anything beside texts and bytes: what it is does not show in the type."""
    if _is_object(values.dtype) or _is_text(values.dtype):
        return values
    raise _unsafe(values, column)


def _booleans(values: Any, column: Column) -> Any:
    if values.dtype == bool:
        return values
    if str(values.dtype) == "boolean":
        if values.isna().any() and not column.required:
            return values
        return _as(values, "bool", column)
    if _is_object(values.dtype) and all(
        is_missing(each) or type(each).__name__ in BOOLEANS for each in values
    ):
        return values
    raise _unsafe(values, column)


BOOLEANS = ("bool", "bool_")  # Python's and NumPy's


def _times(values: Any, column: Column) -> Any:
    dtype = values.dtype
    if getattr(dtype, "tz", None) is not None:
        raise misfit(f"{column.where} ({column}) takes times without a time zone only, not {dtype}")
    dates = _is_object(dtype) and all(
        isinstance(each, (datetime.date, str)) or is_missing(each) for each in values
    )
    if getattr(dtype, "kind", "") == "M" or dates or str(dtype) == "str":
        return _as(values, "datetime64[ns]", column)
    raise _unsafe(values, column)


def _numbers(values: Any, column: Column) -> Any:
    wanted = import_module("numpy").dtype(NUMPY[column.type])
    dtype = values.dtype
    if dtype == wanted:
        return values
    if _is_safe(dtype, wanted) or (
        wanted.kind == "f" and dtype == "int64" and _is_zeros_and_ones(values)
    ):
        if wanted.kind == "i" and values.isna().any() and not column.required:
            return values
        return _as(values, wanted, column)
    if column.type == "double" and _is_object(dtype) and all(_is_double(each) for each in values):
        return _as(
            values.map(lambda each: float("nan") if is_missing(each) else float(each)),
            wanted,
            column,
        )
    if wanted.kind == "i" and not column.required and _is_whole_beside_nan(values, wanted):
        return values
    raise _unsafe(values, column)


def _is_safe(source: Any, wanted: Any) -> bool:
    kind, size = getattr(source, "kind", ""), getattr(source, "itemsize", None)
    if size is None or kind not in ("i", "u", "f") or str(source) == "category":
        return False
    if kind == wanted.kind:
        return bool(size <= wanted.itemsize)
    if kind == "u" and wanted.kind == "i":
        return bool(size < wanted.itemsize)
    return bool(kind in "iu" and wanted == "float64" and size <= WIDEST_EXACT_IN_DOUBLE)


def _is_zeros_and_ones(values: Any) -> bool:
    return bool(values.isin([0, 1]).all())


def _is_double(value: Any) -> bool:
    """Whether a value that lies in a column of objects is a number that a double holds."""
    # beside missing values, or pandas would have made whole numbers of all
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) <= EXACT
    return is_missing(value) or isinstance(value, (float, decimal.Decimal))


def _is_whole_beside_nan(values: Any, wanted: Any) -> bool:
    """Whether all that is there is whole, and something is missing."""
    present = values.dropna()
    if len(present) == len(values) or not len(present):
        return not len(present)
    numpy = import_module("numpy")
    limits = numpy.iinfo(wanted)
    if getattr(present.dtype, "kind", "") != "f":
        return False
    whole = (numpy.floor(present) == present) & (abs(present) <= min(limits.max, EXACT))
    return bool(whole.all())


def _is_object(dtype: Any) -> bool:
    return str(dtype) == "object"


def _is_text(dtype: Any) -> bool:
    return str(dtype) in ("str", "string") or str(dtype).startswith("string[")


def _as(values: Any, dtype: Any, column: Column) -> Any:
    try:
        return values.astype(dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise misfit(
            f"{column.where} ({column}) cannot be had from {values.dtype}: {error}"
        ) from error


def _refuse_others(values: Any, column: Column) -> None:
    accepted = (str,) if column.type == "string" else (bytes, bytearray)
    for each in values:
        if not isinstance(each, accepted) and not (is_missing(each) and not column.required):
            kind = type(each).__name__
            raise misfit(f"{column.where} takes values of {column.type} only, not one of {kind}")


def _unsafe(values: Any, column: Column) -> InvalidInput:
    said = f"{column.where} takes values of {column.type}; those of {values.dtype} are not safely converted"
    if (
        column.type in ("integer", "long")
        and getattr(values.dtype, "kind", "") == "f"
        and values.isna().any()
    ):
        said += ". Values are missing, which makes pandas give floats: let the signature say that they may be, or double"
    return misfit(said)
