"""The inputs of a model in the form and with the types of its signature.

This is the only place that enforces the signature of the inputs. Data come from two sides. Python
data have types, which are widened where that is safe (`enforce`). The data of a request have the
few types of JSON or CSV and are converted to the signature's where no value changes (`convert`).
"""

from __future__ import annotations

from typing import Any, Callable

from ..optional_libraries import is_installed
from ..signature import Column, Signature
from .conversion import convert_array, convert_series, convert_to_doubles
from .data_frames import frame_of_signature
from .tensors import tensors_of_signature
from .widening import widen_series
from .without_pandas import checked_values

Cast = Callable[[Any, Column], Any]


def enforce(data: Any, signature: Signature) -> Any:
    """Bring Python data into the form of the signature: a data frame of its columns, or its arrays.

    Without inputs in the signature they stay as they are. Raises `InvalidInput`.
    """
    return _fit(data, signature, widen_series, _as_it_is)


def convert(data: Any, signature: Signature) -> Any:
    """Bring the data of a request into the form of the signature; without pandas JSON values stay.

    Raises `InvalidInput`.
    """
    types = {column.type for column in signature.inputs}
    if types == {"double"} and hasattr(data, "dtypes"):
        data = convert_to_doubles(data)
    return _fit(data, signature, convert_series, convert_array)


def _fit(
    data: Any,
    signature: Signature,
    cast_series: Cast,
    cast_array: Cast,
) -> Any:
    """Choose the form by the signature and by the libraries that are installed."""
    if not signature.inputs:
        return data
    if signature.is_tensor:
        if is_installed("numpy"):
            return tensors_of_signature(data, signature, cast_array)
        return data
    if is_installed("pandas"):
        return frame_of_signature(data, signature, cast_series)
    return checked_values(data, signature)


def _as_it_is(array: Any, column: Column) -> Any:  # noqa: ARG001 - as the other casts
    """Leave the type of a Python array; whether it is the signature's is checked later."""
    return array
