"""A CSV request with a header line: it becomes a data frame of the signature's types."""

from __future__ import annotations

import io
from typing import Any

from ..enforcement.inputs import convert
from ..optional_libraries import pandas_for
from ..signature import InvalidInput, Signature
from .text import decode


def parse(content: bytes, signature: Signature) -> Any:
    """Read CSV into a data frame. Raises `InvalidInput`."""
    return convert(frame_from_csv(content, signature), signature)


def frame_from_csv(content: bytes, signature: Signature) -> Any:
    """Read CSV with pandas; what the signature has as strings or bytes is not read as numbers."""
    pandas = pandas_for("a CSV input")
    text = decode(content)
    dtypes = {}
    for name, column in signature.columns_by_name.items():
        if column.type in ("string", "binary"):
            dtypes[name] = object
    try:
        return pandas.read_csv(io.StringIO(text), dtype=dtypes)
    except ValueError as error:  # the base class of pandas' own errors of parsing
        raise InvalidInput(f"it is not valid CSV: {error}") from error
