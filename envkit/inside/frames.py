"""Data frames and tensors in the form that a signature promises the model."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .columns import InvalidInput, cast_array, cast_series
from .signature import Signature


def pandas_for(what: str) -> Any:
    """Import pandas. Raises `InvalidInput` when it is not there, naming what needs it."""
    try:
        return import_module("pandas")
    except ModuleNotFoundError as error:
        if error.name != "pandas":
            raise
        raise InvalidInput(f"{what} needs pandas, which is not installed in the model's environment") from error


def frame_of_split(value: Any) -> Any:
    """Make a data frame of {"columns", "index", "data"}. Raises `InvalidInput`."""
    if not isinstance(value, dict):
        raise InvalidInput("`dataframe_split` must be an object with `data`, and `columns` and `index` if need be")
    unknown = sorted(set(value) - {"columns", "index", "data"})
    if "data" not in value or unknown:
        problem = f"`{unknown[0]}` is unknown" if unknown else "`data` is missing"
        raise InvalidInput(f"`dataframe_split`: {problem}; it has `data`, and `columns` and `index` if need be")
    return _frame("dataframe_split", value["data"], index=value.get("index"), columns=value.get("columns"))


def frame_of_records(value: Any) -> Any:
    """Make a data frame of a list of rows. Raises `InvalidInput`."""
    if not isinstance(value, list):
        raise InvalidInput("`dataframe_records` must be a list of objects, one a row")
    return _frame("dataframe_records", value)


def as_frame(data: Any, signature: Signature) -> Any:
    """Give the data frame that a signature of columns promises: those columns, in that order, of those types.

    Without pandas in the environment the data stay what they are. Raises `InvalidInput`.
    """
    try:
        pandas = import_module("pandas")
    except ImportError:
        return data
    frame = data if isinstance(data, pandas.DataFrame) else _frame("the input", _table(data, signature))
    names = signature.names
    if not names:
        return _cast_by_place(frame, signature)
    missing = [name for name, column in names.items() if column.required and name not in frame.columns]
    if missing:
        raise InvalidInput(f"the input lacks `{missing[0]}`; the model takes {', '.join(f'`{n}`' for n in names)}")
    frame = frame[[name for name in names if name in frame.columns]].copy()
    for name in frame.columns:
        frame[name] = cast_series(frame[name], names[name])
    return frame


def as_tensors(data: Any, signature: Signature) -> Any:
    """Give the array, or the arrays by name, that a signature of tensors promises. Raises `InvalidInput`."""
    names = signature.names
    if hasattr(data, "iloc"):
        if names:
            _refuse_missing(data.columns, names)
            return {name: _tensor(data[name].tolist(), column) for name, column in names.items()}
        values = data[data.columns[0]].tolist() if len(data.columns) == 1 else data.to_numpy()
        return _tensor(values, signature.inputs[0])
    if isinstance(data, dict) and names:
        _refuse_missing(data, names)
        return {name: data[name] for name in names if name in data}
    return data


def _refuse_missing(given: Any, names: Any) -> None:
    for name, column in names.items():
        if column.required and name not in given:
            raise InvalidInput(f"the input lacks `{name}`; the model takes {', '.join(f'`{n}`' for n in names)}")


def _tensor(values: Any, column: Any) -> Any:
    array = cast_array(values, column)
    shape = column.shape
    if array.ndim != len(shape) and shape and shape[0] == -1 and -1 not in shape[1:]:
        try:
            return array.reshape(shape)
        except ValueError as error:
            raise InvalidInput(f"the input cannot have the shape {shape}: {error}") from error
    return array


def _table(data: Any, signature: Signature) -> Any:
    """Say what of the data makes a data frame: one row, or columns."""
    if not isinstance(data, dict):
        return data if isinstance(data, list) or _dimensions(data) else [_plain(data)]
    nested = any(column.type in ("array", "object", "map") for column in signature.inputs)
    if nested or all(_is_row_value(value) for value in data.values()):
        return [data]
    return {name: value.tolist() if _dimensions(value) > 1 else value for name, value in data.items()}


def _is_row_value(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str) for each in value)
    return not isinstance(value, dict) and not _dimensions(value)


def _dimensions(value: Any) -> int:
    return int(getattr(value, "ndim", 0))


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _cast_by_place(frame: Any, signature: Signature) -> Any:
    if len(frame.columns) < len(signature.inputs):
        raise InvalidInput(f"the input has {len(frame.columns)} columns, the model takes {len(signature.inputs)}")
    frame = frame.iloc[:, : len(signature.inputs)].copy()
    for name, column in zip(list(frame.columns), signature.inputs):  # noqa: B905 - Python 3.8
        frame[name] = cast_series(frame[name], column)
    return frame


def _frame(what: str, data: Any, **keywords: Any) -> Any:
    try:
        return pandas_for(f"`{what}`").DataFrame(data, **keywords)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise InvalidInput(f"`{what}` makes no data frame: {error}") from error
