"""The form and the types that a signature promises the model: the one place where they are made and checked.

Data come from two sides. Those of Python have types, and are given wider ones where that is safe
(`enforce`). Those of a request have the few types of JSON or CSV, and get the signature's where no
value changes (`convert`).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from . import plain
from .columns import as_doubles, cast_array, cast_series
from .frames import Cast, as_frame
from .signature import Signature
from .tensors import as_tensors
from .upcasts import upcast_series


def enforce(data: Any, signature: Signature) -> Any:
    """Give data of Python as the signature promises them: a data frame of its columns, or its arrays.

    Without inputs in the signature they stay as they are. Raises `InvalidInput`.
    """
    return _fit(data, signature, upcast_series, lambda array, _: array)


def convert(data: Any, signature: Signature) -> Any:
    """Give data of a request as the signature promises them; without pandas the lists and objects of JSON.

    Raises `InvalidInput`.
    """
    if hasattr(data, "dtypes") and {column.type for column in signature.inputs} == {"double"}:
        data = as_doubles(data)
    return _fit(data, signature, cast_series, cast_array)


def _fit(data: Any, signature: Signature, cast: Cast, cast_tensor: Cast) -> Any:
    if not signature.inputs:
        return data
    if signature.is_tensor:
        if _has("numpy"):
            return as_tensors(data, signature, cast_tensor)
        return data
    if not _has("pandas"):
        return plain.fitted(data, signature)
    return as_frame(data, signature, cast)


def _has(library: str) -> bool:
    try:
        import_module(library)
    except ImportError:
        return False
    return True
