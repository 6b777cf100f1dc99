"""The dtypes of pandas that a signature records next to the types of its columns.

A signature knows eight types; pandas has many more dtypes: categories, other sizes of numbers,
numbers with gaps, Arrow's, sparse ones, times of another resolution or with a zone. A column of the
signature has `pandas` where its type does not say which one the model was made with.
"""

from __future__ import annotations

import datetime
from importlib import import_module
from typing import Any, Mapping

from ..missing_values import is_missing
from ..signature import Column
from ..sparse_types import is_sparse, sparse_array
from .json_values import convert_values, read_text
from .times import times_of

INTEGERS = ("int8", "int16", "uint8", "uint16", "uint32")


def has_recorded_type(series: Any, column: Column) -> bool:
    """Whether a series has the dtype that the signature records, so that it stays as it is."""
    recorded = column.pandas.get("dtype")
    if recorded is None or str(series.dtype) != recorded:
        return False
    if recorded in ("object", "category"):
        return False
    return bool(not column.required or not series.isna().any())


def restored(series: Any, column: Column) -> Any:
    """Convert the values of a request to the dtype that the signature records.

    Raises `InvalidInput` where that would change a value.
    """
    dtype = str(column.pandas["dtype"])
    if dtype == "category" and column.type == "datetime":
        return as_category(times_of(series, column, str(column.pandas.get("of"))), column)
    if column.type == "datetime":
        values = times_of(series, column, dtype)
    else:
        values = _python_values(series, column)
    try:
        array = _array(values, dtype, column)
    except (TypeError, ValueError, OverflowError) as error:
        raise column.invalid(f"cannot become {dtype}, which it was made with: {error}") from error
    options = {"dtype": object} if dtype == "object" else {}  # pandas 3 would infer texts
    return series.__class__(array, index=series.index, name=series.name, **options)


def as_objects(series: Any) -> Any:
    """Make Python's objects of texts and the like, None of missing ones."""
    values = [None if is_missing(value) else value for value in series.tolist()]
    return series.__class__(values, index=series.index, name=series.name, dtype=object)


def as_category(series: Any, column: Column) -> Any:
    """Make a category of a series that has the type of the signature already."""
    values = [None if is_missing(value) else value for value in series.tolist()]
    array = _category(values, column.pandas)
    return series.__class__(array, index=series.index, name=series.name)


def _python_values(series: Any, column: Column) -> list[Any]:
    """Convert each value to the type of the signature, exactly; missing ones become None."""
    values: list[Any] = []
    for value in series.tolist():
        if is_missing(value):
            values.append(None)
        elif isinstance(value, str):
            values.append(read_text(value, column.type))
        else:
            values.append(value)
    is_float = column.type in ("float", "double")
    if column.required and None in values and not is_float:
        raise column.invalid("must not be null")
    return convert_values(values, column.type, column.label, required=False)


def _array(values: Any, dtype: str, column: Column) -> Any:
    """Make an array of a dtype of Python values."""
    pandas, numpy = import_module("pandas"), import_module("numpy")
    if column.type == "datetime":
        return values
    if dtype == "category":
        return _category(values, column.pandas)
    if dtype == "object":
        array = numpy.empty(len(values), dtype=object)
        array[:] = values
        return array
    if dtype in INTEGERS:
        return _integers(values, dtype, numpy)
    if dtype.startswith("float") and "[" not in dtype:  # NumPy's
        return numpy.array([numpy.nan if value is None else value for value in values], dtype=dtype)
    if is_sparse(dtype):
        return sparse_array(_plain(values, numpy), dtype)
    return pandas.array(values, dtype=dtype)


def _integers(values: list[Any], dtype: str, numpy: Any) -> Any:
    """Make whole numbers of the recorded size, or, as MLflow, of the next that holds them."""
    limits = numpy.iinfo(dtype)
    fits = all(limits.min <= value <= limits.max for value in values)
    return numpy.array(values, dtype=dtype if fits else "int64")


def _plain(values: list[Any], numpy: Any) -> Any:
    if any(value is None for value in values):
        return [numpy.nan if value is None else value for value in values]
    return values


def _category(values: list[Any], recorded: Mapping[str, Any]) -> Any:
    """Make a category; values that are not among the recorded categories are added to them."""
    pandas = import_module("pandas")
    categories = list(recorded.get("categories") or [])
    if any(isinstance(value, datetime.datetime) for value in values):
        categories = [pandas.Timestamp(category) for category in categories]
    known = set(categories)
    for value in values:
        if value is not None and value not in known:
            known.add(value)
            categories.append(value)
    ordered = bool(recorded.get("ordered"))
    index = pandas.Index(categories, dtype=recorded.get("of")) if categories else None
    return pandas.Categorical(values, categories=index, ordered=ordered)
