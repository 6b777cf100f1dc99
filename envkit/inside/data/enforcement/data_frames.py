"""The data frame that a signature of columns promises the model."""

from __future__ import annotations

import datetime
import logging
from importlib import import_module
from typing import Any, Callable, Iterable, Mapping

from ..optional_libraries import data_frame, pandas_for
from ..signature import Column, Signature, mismatch
from .conversion import NUMPY_TYPES
from .nested_values import NESTED_TYPES
from .tensors import refuse_missing_inputs

Cast = Callable[[Any, Column], Any]
FRAME_VALUES = (dict, list, str, bytes, bool, int, float, datetime.date)
"""Python's classes of which a data frame can be made."""


def frame_of_signature(data: Any, signature: Signature, cast: Cast) -> Any:
    """Make the data frame of a signature: its columns, in its order, of its types.

    cast: gives a pandas Series the type of its column. Columns that are not in the signature are
    left out, which is logged as a warning. Raises `InvalidInput`.
    """
    pandas = pandas_for("a signature of columns")
    if isinstance(data, pandas.DataFrame):
        frame = data
    else:
        frame = _frame_of(data, signature, pandas)
    columns = signature.columns_by_name
    if not columns:
        return _cast_by_position(frame, signature, cast)
    if _fits_already(frame, columns):
        return frame.copy()  # the model may change it
    frame = _with_names_that_are_not_strings(frame, columns)
    refuse_missing_inputs(frame.columns, signature)
    log_ignored_inputs(frame.columns, signature)
    series = {}
    for name, column in columns.items():
        if name in frame.columns:
            series[name] = cast(_only_column(frame, name), column)
    return pandas.DataFrame(series, index=frame.index)


def log_ignored_inputs(names: Iterable[Any], signature: Signature) -> None:
    """Warn of inputs that do not reach the model because they are not in its signature."""
    columns = signature.columns_by_name
    ignored = sorted(str(name) for name in names if name not in columns)
    if ignored:
        logging.getLogger("envkit").warning(
            "Ignored inputs that are not in the model's signature: %s",
            ", ".join(ignored),
        )


def _fits_already(frame: Any, columns: Mapping[Any, Column]) -> bool:
    """Whether the frame has just the columns of numbers that are promised."""
    if list(frame.columns) != list(columns):
        return False
    if any(column.pandas for column in columns.values()):
        return False
    types = [NUMPY_TYPES.get(column.type) for column in columns.values()]
    return types == [str(dtype) for dtype in frame.dtypes]


def _with_names_that_are_not_strings(frame: Any, columns: Mapping[Any, Column]) -> Any:
    """Restore names that are numbers, which are strings in JSON."""
    renamed = {}
    for name in columns:
        if not isinstance(name, str) and name not in frame.columns:
            renamed[str(name)] = name
    if renamed:
        return frame.rename(columns=renamed)
    return frame


def _only_column(frame: Any, name: Any) -> Any:
    """Give the column of that name, of which there must be one."""
    series = frame[name]
    if hasattr(series, "columns"):
        raise mismatch(f"the input has several columns named `{name}`")
    return series


def _frame_of(data: Any, signature: Signature, pandas: Any) -> Any:
    """Make a data frame of data that are none."""
    if isinstance(data, pandas.Series):
        return data.to_frame()
    if not isinstance(data, FRAME_VALUES) and not hasattr(data, "dtype"):
        raise mismatch(f"the model takes a data frame, not a {type(data).__name__}")
    if type(data).__module__.startswith("scipy.sparse"):
        data = data.toarray()
    return data_frame("the input", _table(data, signature))


def _table(data: Any, signature: Signature) -> Any:
    """Bring data into a form that pandas takes for rows or columns."""
    if isinstance(data, dict):
        return _table_of_object(data, signature)
    if isinstance(data, list) or _dimensions(data):
        return data
    return [_python_value(data)]


def _table_of_object(data: Mapping[Any, Any], signature: Signature) -> Any:
    """Take an object for one row, or for columns if it holds lists and the signature none."""
    types = {column.type for column in signature.inputs}
    has_columns = any(map(_is_column, data.values()))
    if not has_columns or not types.isdisjoint(NESTED_TYPES):
        if any(hasattr(value, "dtype") for value in data.values()):
            return {name: _one_row(value) for name, value in data.items()}
        return [data]
    columns = {}
    for name, value in data.items():
        if _dimensions(value) > 1:
            columns[name] = value.tolist()
        else:
            columns[name] = value
    return columns


def _is_column(value: Any) -> bool:
    return isinstance(value, list) or _dimensions(value) > 0


def _dimensions(value: Any) -> int:
    """Count the dimensions of an array; 0 for everything else."""
    return int(getattr(value, "ndim", 0))


def _one_row(value: Any) -> Any:
    """Make a column of one value, of which a scalar of NumPy keeps its type."""
    if hasattr(value, "dtype") and hasattr(value, "reshape") and not _dimensions(value):
        return value.reshape(1)
    return [value]


def _python_value(value: Any) -> Any:
    """Convert a scalar of NumPy to Python's own."""
    if hasattr(value, "item"):
        return value.item()
    return value


def _cast_by_position(frame: Any, signature: Signature, cast: Cast) -> Any:
    """Give columns without names their types, in the order of the signature."""
    count = len(signature.inputs)
    if len(frame.columns) < count:
        raise mismatch(f"the input has {len(frame.columns)} columns; the model takes {count}")
    frame = frame.iloc[:, :count]
    series = []
    for position, column in enumerate(signature.inputs):
        values = frame.iloc[:, position]
        series.append(cast(values, column))
    result = import_module("pandas").concat(series, axis=1)
    result.columns = frame.columns
    return result
