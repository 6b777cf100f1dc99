"""Data frames, and the form of them that a signature promises the model."""

from __future__ import annotations

import datetime
import logging
from importlib import import_module
from typing import Any, Callable, Mapping

from .columns import NUMPY
from .signature import Column, InvalidInput, Signature, misfit
from .tensors import refuse_missing

Cast = Callable[[Any, Column], Any]


def pandas_for(what: str) -> Any:
    """Import pandas. Raises `InvalidInput` when it is not there, naming what needs it."""
    try:
        return import_module("pandas")
    except ModuleNotFoundError as error:
        if error.name != "pandas":
            raise
        raise InvalidInput(
            f"{what} needs pandas, which is not installed in the model's environment"
        ) from error


def frame_of_split(value: Any) -> Any:
    """Make a data frame of {"columns", "index", "data"}. Raises `InvalidInput`."""
    data, columns = split_parts(value)
    return _frame("dataframe_split", data, index=value.get("index"), columns=columns)


def split_parts(value: Any) -> tuple[Any, Any]:
    """Give the rows and, where they are named, the columns of such an object. Raises `InvalidInput`."""
    if not isinstance(value, dict):
        raise InvalidInput(
            "`dataframe_split` must be an object with `data`, and `columns` and `index` if need be"
        )
    unknown = sorted(set(value) - {"columns", "index", "data"})
    if "data" not in value or unknown:
        if unknown:
            problem = f"`{unknown[0]}` is unknown"
        else:
            problem = "`data` is missing"
        raise InvalidInput(
            f"`dataframe_split`: {problem}; it has `data`, and `columns` and `index` if need be"
        )
    return value["data"], value.get("columns")


def frame_of_records(value: Any) -> Any:
    """Make a data frame of a list of rows. Raises `InvalidInput`."""
    if not isinstance(value, list):
        raise InvalidInput("`dataframe_records` must be a list of objects, one a row")
    return _frame("dataframe_records", value)


def as_frame(data: Any, signature: Signature, cast: Cast) -> Any:
    """Give the data frame that a signature of columns promises: those columns, in that order, of those types.

    cast: gives a series of the type of its column. Columns that the signature does not know are
    left out, which is logged as a warning. Raises `InvalidInput`.
    """
    pandas = pandas_for("a signature of columns")
    if isinstance(data, pandas.DataFrame):
        frame = data
    else:
        frame = _of_data(data, signature, pandas)
    names = signature.names
    if not names:
        return _cast_by_place(frame, signature, cast)
    if _is_promised(frame, names):
        return frame.copy()
    renamed = {
        str(name): name for name in names if not isinstance(name, str) and name not in frame.columns
    }
    # JSON has no numbers as keys
    if renamed:
        frame = frame.rename(columns=renamed)
    refuse_missing(frame.columns, signature)
    log_left_out(frame.columns, signature)
    columns = {
        name: cast(_one(frame, name), names[name]) for name in names if name in frame.columns
    }
    return pandas.DataFrame(columns, index=frame.index)


def _is_promised(frame: Any, names: Mapping[Any, Column]) -> bool:
    """Whether there are just the columns of numbers that are promised, so that nothing is to be done."""
    if list(frame.columns) != list(names):
        return False
    types = [NUMPY.get(column.type) for column in names.values()]
    return types == [str(dtype) for dtype in frame.dtypes]


def log_left_out(given: Any, signature: Signature) -> None:
    """Say which inputs do not reach the model, because its signature does not know them."""
    extra = [str(name) for name in given if name not in signature.names]
    if extra:
        what = "Left out, since the model's signature has no such inputs: %s"
        logging.getLogger("envkit").warning(what, ", ".join(sorted(extra)))


def _one(frame: Any, name: Any) -> Any:
    found = frame[name]
    if hasattr(found, "columns"):
        raise misfit(f"the input has several columns `{name}`")
    return found


def _of_data(data: Any, signature: Signature, pandas: Any) -> Any:
    if isinstance(data, pandas.Series):
        return data.to_frame()
    if data is None or not (isinstance(data, SCALARS) or hasattr(data, "dtype")):
        raise misfit(f"the model takes columns: a data frame, not a {type(data).__name__}")
    if type(data).__module__.startswith("scipy.sparse"):
        data = data.toarray()
    return _frame("the input", _table(data, signature))


SCALARS = (dict, list, str, bytes, bool, int, float, datetime.date)


def _table(data: Any, signature: Signature) -> Any:
    """Say what of the data makes a data frame: one row, or columns."""
    if not isinstance(data, dict):
        if isinstance(data, list) or _dimensions(data):
            return data
        return [_plain(data)]
    nested = any(column.type in ("array", "object", "map") for column in signature.inputs)
    if nested or not any(isinstance(value, list) or _dimensions(value) for value in data.values()):
        return [{name: _plain(value) for name, value in data.items()}]
    return {
        name: value.tolist() if _dimensions(value) > 1 else value for name, value in data.items()
    }


def _dimensions(value: Any) -> int:
    return int(getattr(value, "ndim", 0))


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        return value.item()
    return value


def _cast_by_place(frame: Any, signature: Signature, cast: Cast) -> Any:
    if len(frame.columns) < len(signature.inputs):
        raise misfit(
            f"the input has {len(frame.columns)} columns, the model takes {len(signature.inputs)}"
        )
    frame = frame.iloc[:, : len(signature.inputs)]
    columns = [cast(frame.iloc[:, place], column) for place, column in enumerate(signature.inputs)]
    found = import_module("pandas").concat(columns, axis=1)
    found.columns = frame.columns
    return found


def _frame(what: str, data: Any, **keywords: Any) -> Any:
    try:
        return pandas_for(f"`{what}`").DataFrame(data, **keywords)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise InvalidInput(f"`{what}` makes no data frame: {error}") from error
