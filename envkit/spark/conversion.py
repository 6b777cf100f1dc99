"""Predictions converted to columns of Spark types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from envkit.errors import PredictionFailed
from envkit.spark.result_types import Array, ResultType, Struct, ddl

Values = Sequence[Any]
"""The values of a column; None where one is missing."""

Columns = Mapping[Any, Values]
"""Predictions by column, all of one length."""

# An error describes at most this many columns.
MAX_COLUMNS = 8


def columns_of(predictions: Any, rows: int) -> Columns:
    """Give predictions by column.

    They are a table, an array of one or two dimensions, or an object of columns. Raises
    `PredictionFailed` when there is not one prediction for each row.
    """
    if isinstance(predictions, Mapping):
        for values in predictions.values():
            _check_length(values, rows)
        return predictions
    _check_length(predictions, rows)
    if _is_table(predictions):
        return _columns_of_records(predictions)
    if _is_matrix(predictions):
        columns = zip(*predictions, strict=True)
        return {position: list(column) for position, column in enumerate(columns)}
    return {0: predictions}


def convert(columns: Columns, kind: ResultType) -> Any:
    """Give a list of values of a type, or the lists of a struct by name.

    Raises `ValueError` when no column fits.
    """
    if isinstance(kind, Struct):
        converted = {}
        for name, field in kind.fields:
            converted[name] = _convert_field(columns, name, field)
        return converted
    if isinstance(kind, Array):
        return _convert_to_arrays(columns, kind)
    for values in columns.values():
        if _fits(values, kind):
            return _cast(values, kind)
    raise _no_column(kind, columns)


def to_pandas(converted: Any, kind: ResultType, rows: int) -> Any:
    """Give converted values as a Series, or as a DataFrame for a struct."""
    if not isinstance(kind, Struct):
        return _series(converted, kind)
    series = {}
    for name, field in kind.fields:
        series[name] = _series(converted[name], field)
    return import_module("pandas").DataFrame(series, index=range(rows))


def _check_length(values: Any, rows: int) -> None:
    if not isinstance(values, list):
        returned = "one value"
    elif len(values) != rows:
        returned = f"{len(values)} values"
    else:
        return
    problem = f"the model returned {returned} for {rows} rows; Spark requires one for each row"
    raise PredictionFailed("predict", problem)


def _is_table(values: list[Any]) -> bool:
    """Whether values are records, of which the first has all columns."""
    if not values:
        return False
    return all(isinstance(value, Mapping) for value in values)


def _columns_of_records(records: list[Any]) -> Columns:
    columns = {}
    for name in records[0]:
        columns[name] = [record.get(name) for record in records]
    return columns


def _is_matrix(rows: list[Any]) -> bool:
    """Whether values are lists of one length, without lists in them."""
    for row in rows:
        if not isinstance(row, list) or len(row) != len(rows[0]):
            return False
        if any(isinstance(value, list) for value in row):
            return False
    return bool(rows)


def _convert_field(columns: Columns, name: str, kind: str | Array) -> Any:
    if name not in columns:
        described = _describe(columns)
        raise ValueError(f"the prediction has no column {name!r}: {described}")
    return convert({name: columns[name]}, kind)


def _convert_to_arrays(columns: Columns, kind: Array) -> list[Any]:
    """Take the arrays of the only column, or make an array of each row."""
    if len(columns) == 1:
        (values,) = columns.values()
        if any(isinstance(value, list) for value in values):
            return _cast_arrays(values, kind)
    element = kind.element
    if isinstance(element, Array):
        message = f"the prediction has no column of arrays: {_describe(columns)}"
        raise ValueError(message)  # noqa: TRY004 - the prediction is wrong, not the call
    fitting = [_cast(values, element) for values in columns.values() if _fits(values, element)]
    if not fitting:
        raise _no_column(element, columns)
    return [list(row) for row in zip(*fitting, strict=True)]


def _cast_arrays(arrays: Values, kind: Array) -> list[Any]:
    converted: list[Any] = []
    for array in arrays:
        if array is None:
            converted.append(None)
        elif isinstance(kind.element, Array):
            converted.append(_cast_arrays(array, kind.element))
        else:
            converted.append(_cast_array(array, kind.element))
    return converted


def _cast_array(values: Values, element: str) -> list[Any]:
    if not _fits(values, element):
        kind = ddl(Array(element))
        beginning = str(values)[:80]
        raise ValueError(f"an array of the prediction cannot become {kind}: {beginning}")
    return _cast(values, element)


def _fits(values: Values, kind: str) -> bool:
    """Whether all values that are not missing can have a primitive type without loss."""
    test = _TESTS[kind]
    return all(value is None or test(value) for value in values)


def _cast(values: Values, kind: str) -> list[Any]:
    cast = _CASTS.get(kind)
    if cast is None:
        return list(values)
    return [None if value is None else cast(value) for value in values]


def _is_number(value: Any) -> bool:
    # In Python, True and False are integers.
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_int(value: Any) -> bool:
    return _is_integer(value) and -(2**31) <= value < 2**31


def _is_long(value: Any) -> bool:
    return _is_integer(value) and -(2**63) <= value < 2**63


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_TESTS: Mapping[str, Callable[[Any], bool]] = {
    "int": _is_int,
    "long": _is_long,
    "float": _is_number,
    "double": _is_number,
    "string": lambda value: True,  # noqa: ARG005 - every value has a text
    "boolean": lambda value: isinstance(value, bool),
}
_CASTS: Mapping[str, Callable[[Any], Any]] = {
    "float": float,
    "double": float,
    "string": str,
}


def _no_column(kind: str, columns: Columns) -> ValueError:
    described = _describe(columns)
    return ValueError(f"no column of the prediction can become {kind}: {described}")


def _describe(columns: Columns) -> str:
    """Describe the first columns by an example of each."""
    if not columns:
        return "it has no columns"
    names = list(columns)[:MAX_COLUMNS]
    return "; ".join(f"{name!r} has {_example(columns[name])}" for name in names)


def _example(values: Values) -> str:
    for value in values:
        if value is not None:
            return f"{type(value).__name__} {value!r:.30}"
    return "only missing values"


def _series(values: list[Any], kind: str | Array) -> Any:
    dtype = "object"
    if kind in ("double", "float"):
        dtype = "float64"
    return import_module("pandas").Series(values, dtype=dtype)
