"""The arrays that a signature of tensors promises the model: their element types and shapes."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Callable, Iterable

from ..json_kinds import kind_of
from ..signature import Column, Signature, mismatch
from .conversion import convert_array

Cast = Callable[[Any, Column], Any]
ANY_LENGTH = -1


def tensors_of_signature(data: Any, signature: Signature, cast: Cast) -> Any:
    """Make the array, or the arrays by name, of a signature out of those or of a data frame.

    cast: gives the values of a data frame the type of the tensor. Raises `InvalidInput`: an array
    must have exactly the element type and the number of dimensions; -1 stands for any length.
    """
    if hasattr(data, "iloc"):
        return _tensors_of_frame(data, signature, cast)
    columns = signature.columns_by_name
    if not columns:
        column = signature.inputs[0]
        if not _is_tensor(data):
            raise mismatch(f"the model takes an array ({column.type_name}), not {kind_of(data)}")
        return _checked(data, column)
    if len(columns) == 1 and _is_tensor(data):
        (name,) = columns
        data = {name: data}
    if not isinstance(data, dict):
        names = _listed(columns)
        raise mismatch(f"the model takes arrays by name ({names}), not {kind_of(data)}")
    refuse_missing_inputs(data, signature)
    for name, column in columns.items():
        if not _is_tensor(data[name]):
            kind = kind_of(data[name])
            raise column.mismatch(f"must be an array, not {kind}")
    tensors = {}
    for name, column in columns.items():
        tensors[name] = _checked(data[name], column)
    return tensors


def refuse_missing_inputs(names: Any, signature: Signature) -> None:
    """Raise `InvalidInput` if the names lack a required input.

    `names` is anything that has `in`.
    """
    for name, column in signature.columns_by_name.items():
        if column.required and name not in names:
            required = _listed(signature.columns_by_name)
            raise mismatch(f"the input has no `{name}`; the model takes {required}")


def _checked(array: Any, column: Column) -> Any:
    """Give the array if it has the shape and the element type of the column."""
    shape = column.shape
    dtype = str(getattr(array.dtype, "name", array.dtype))
    if column.dtype == "object" and shape == (ANY_LENGTH,):
        return array
    # rows of different lengths make an array of objects
    is_ragged = array.ndim == 1 and dtype == "object"
    if is_ragged and ANY_LENGTH in shape[1:]:
        return array
    if not _fits_shape(array.shape, shape):
        raise column.mismatch(f"has the shape {tuple(array.shape)}; the model takes {shape}")
    promised = column.dtype or ""
    if _without_length(dtype) != _without_length(promised):
        raise column.mismatch(f"is an array of {dtype}; the model takes {column.dtype}")
    return array


def _fits_shape(shape: Any, promised: Any) -> bool:
    """Whether a shape has the promised lengths, where they are not -1."""
    if len(shape) != len(promised):
        return False
    pairs = zip(shape, promised)  # noqa: B905 - Python 3.8
    return all(expected in (ANY_LENGTH, length) for length, expected in pairs)


def _tensors_of_frame(frame: Any, signature: Signature, cast: Cast) -> Any:
    """Make arrays of the columns that the signature names, or one of the whole frame."""
    columns = signature.columns_by_name
    if columns:
        refuse_missing_inputs(frame.columns, signature)
        tensors = {}
        for name, column in columns.items():
            tensors[name] = _tensor_of_series(frame[name], column)
        return tensors
    return _tensor_of_frame(frame, signature.inputs[0], cast)


def _tensor_of_frame(frame: Any, column: Column, cast: Cast) -> Any:
    """Make one array of a whole data frame."""
    width = len(frame.columns)
    if not width or not len(frame):
        raise mismatch("the input is an empty data frame")
    if width == 1:
        return _tensor_of_series(frame[frame.columns[0]], column)
    if column.shape != (ANY_LENGTH, width):
        raise mismatch(f"the input has {width} columns; the model takes the shape {column.shape}")
    return _checked(cast(frame.to_numpy(), column), column)


def _tensor_of_series(series: Any, column: Column) -> Any:
    """Make one array of a column whose rows are numbers, lists or arrays."""
    shape = column.shape
    is_column = shape[:1] == (ANY_LENGTH,) and ANY_LENGTH not in shape[1:]
    if not is_column:
        raise column.mismatch(
            f"has the shape {shape}; only the first dimension of a column may vary"
        )
    if not len(series):
        numpy = import_module("numpy")
        return numpy.empty((0, *shape[1:]), dtype=column.dtype)
    if _is_row(series.iloc[0]):
        array = _stacked(series, column)
    elif shape in ((ANY_LENGTH,), (ANY_LENGTH, 1)):
        array = convert_array(series.tolist(), column)
    else:
        raise column.mismatch(f"has one value per row; the model takes the shape {shape}")
    try:
        tensor = array.reshape(shape)
    except ValueError as error:
        raise column.mismatch(f"does not have the shape {shape}: {error}") from error
    if len(tensor) != len(series):
        raise column.mismatch(f"has rows whose length does not fit the shape {shape}")
    return _checked(tensor, column)


def _stacked(series: Any, column: Column) -> Any:
    """Stack the rows.

    Arrays keep their type, to be checked, and lists get the type of the column.
    """
    if not hasattr(series.iloc[0], "dtype"):
        return convert_array(series.tolist(), column)
    try:
        return import_module("numpy").stack(list(series))
    except (ValueError, TypeError) as error:
        raise column.mismatch(f"has arrays of different shapes: {error}") from error


def _is_row(value: Any) -> bool:
    """Whether a value of a column has several values."""
    return isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) > 0


def _is_tensor(value: Any) -> bool:
    """Whether it is an array or a sparse matrix."""
    return all(hasattr(value, name) for name in ("dtype", "shape", "ndim"))


def _without_length(dtype: str) -> str:
    """Name strings and bytes of every length the same."""
    for kind in ("str", "bytes"):
        if dtype.startswith(kind):
            return kind
    return dtype


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(f"`{name}`" for name in names)
