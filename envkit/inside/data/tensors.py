"""Arrays of the element type and the shape that a signature of tensors names."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Callable

from .columns import cast_array
from .signature import Column, Signature, misfit

Cast = Callable[[Any, Column], Any]


def as_tensors(data: Any, signature: Signature, cast: Cast) -> Any:
    """Give the array, or the arrays by name, that the signature promises, out of those or of a data frame.

    cast: gives the values of a data frame the type of the tensor. Raises `InvalidInput`: an array
    has exactly the element type, and as many dimensions; -1 stands for any length.
    """
    names = signature.names
    if hasattr(data, "iloc"):
        return _of_frame(data, signature, cast)
    if not names:
        if not _is_tensor(data):
            raise misfit(f"the model takes {signature.inputs[0]}: an array, not {_kind(data)}")
        return checked(data, signature.inputs[0])
    if len(names) == 1 and _is_tensor(data):
        data = {next(iter(names)): data}
    if not isinstance(data, dict):
        raise misfit(f"the model takes arrays by name ({_listed(names)}), not {_kind(data)}")
    refuse_missing(data, signature)
    for name, column in names.items():
        if not _is_tensor(data[name]):
            raise misfit(f"{column.where} must be an array, not {_kind(data[name])}")
    return {name: checked(data[name], column) for name, column in names.items()}


def refuse_missing(given: Any, signature: Signature) -> None:
    """Refuse an input that lacks what the model requires. Raises `InvalidInput`."""
    for name, column in signature.names.items():
        if column.required and name not in given:
            raise misfit(f"the input lacks `{name}`; the model takes {_listed(signature.names)}")


def checked(array: Any, column: Column) -> Any:
    """Give the array if it is as the column says. Raises `InvalidInput`."""
    wanted = column.shape
    dtype = str(getattr(array.dtype, "name", array.dtype))
    if column.dtype == "object" and wanted == (-1,):
        return array
    if array.ndim == 1 and dtype == "object" and len(wanted) > 1 and -1 in wanted[1:]:
        return array  # rows of lengths of their own
    fits = len(array.shape) == len(wanted)
    if not fits or any(want not in (-1, has) for want, has in zip(wanted, array.shape)):  # noqa: B905 - Python 3.8
        raise misfit(f"{column.where} has the shape {tuple(array.shape)}, the model takes {wanted}")
    if _flexible(dtype) != _flexible(column.dtype or ""):
        raise misfit(f"{column.where} is an array of {dtype}, the model takes {column.dtype}")
    return array


def _of_frame(frame: Any, signature: Signature, cast: Cast) -> Any:
    if signature.names:
        refuse_missing(frame.columns, signature)
        return {name: _of_series(frame[name], column) for name, column in signature.names.items()}
    column = signature.inputs[0]
    if not len(frame.columns) or not len(frame):
        raise misfit("the input is an empty data frame")
    if len(frame.columns) == 1:
        return _of_series(frame[frame.columns[0]], column)
    if column.shape != (-1, len(frame.columns)):
        raise misfit(
            f"the input has {len(frame.columns)} columns, the model takes the shape {column.shape}"
        )
    return checked(cast(frame.to_numpy(), column), column)


def _of_series(series: Any, column: Column) -> Any:
    """Give the rows of a column of numbers, lists or arrays as one array."""
    shape = column.shape
    if not shape or shape[0] != -1 or -1 in shape[1:]:
        raise misfit(
            f"{column.where} has the shape {shape}: of a column only the first length may vary"
        )
    if not len(series):
        return import_module("numpy").empty((0, *shape[1:]), dtype=column.dtype)
    first = series.iloc[0]
    if getattr(first, "ndim", 0) > 0 or isinstance(first, (list, tuple)):
        array = _stacked(series, column)
    elif shape in ((-1,), (-1, 1)):
        array = cast_array(series.tolist(), column)
    else:
        raise misfit(f"{column.where} holds one value a row, the model takes the shape {shape}")
    try:
        found = array.reshape(shape)
    except ValueError as error:
        raise misfit(f"{column.where} cannot have the shape {shape}: {error}") from error
    if len(found) != len(series):
        raise misfit(f"{column.where} has rows of another length than the shape {shape}")
    return checked(found, column)


def _stacked(series: Any, column: Column) -> Any:
    """Arrays keep their type, to be checked; lists of Python have none and get that of the column."""
    if not hasattr(series.iloc[0], "dtype"):
        return cast_array(series.tolist(), column)
    try:
        return import_module("numpy").stack(list(series))
    except (ValueError, TypeError) as error:
        raise misfit(f"{column.where} holds arrays of several shapes: {error}") from error


def _is_tensor(value: Any) -> bool:
    """Whether it is an array or a sparse matrix."""
    return hasattr(value, "dtype") and hasattr(value, "shape") and hasattr(value, "ndim")


def _flexible(dtype: str) -> str:
    """Texts and bytes are of one type, whatever their length."""
    for kind in ("str", "bytes"):
        if dtype.startswith(kind):
            return kind
    return dtype


def _listed(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _kind(value: Any) -> str:
    names: dict[type, str] = {dict: "an object", list: "a list"}
    return names.get(type(value), f"a {type(value).__name__}")
