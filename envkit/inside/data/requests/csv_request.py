"""A CSV request with a header line: it becomes a data frame of the signature's types."""

from __future__ import annotations

import io
from typing import Any

from ..enforcement.inputs import convert
from ..optional_libraries import pandas_for
from ..signature import InvalidInput, Signature
from .csv_rows import list_of_hint
from .model_input import ReadRaw
from .text import decode

TEXT_TYPES = ("string", "binary")
MISSING = [
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "-NaN",
    "-nan",
    "1.#IND",
    "1.#QNAN",
    "<NA>",
    "N/A",
    "NA",
    "NULL",
    "NaN",
    "None",
    "n/a",
    "nan",
    "null",
]
"""What stands for a missing value in columns other than texts, besides an empty cell: pandas'."""


def parse(content: bytes, signature: Signature, raw: ReadRaw | None) -> Any:
    """Read CSV into a data frame; raw: makes what the model's type hint defines of a list instead.

    Raises `InvalidInput`.
    """
    if raw is not None:
        return raw(list_of_hint(decode(content), signature))
    return convert(frame_from_csv(content, signature), signature)


def frame_from_csv(content: bytes, signature: Signature) -> Any:
    """Read CSV with pandas. Raises `InvalidInput`.

    What the signature has as strings or bytes is read neither as numbers nor as missing values; an
    empty cell is a missing value only where the column is optional.
    """
    pandas = pandas_for("a CSV input")
    text = decode(content)
    try:
        names = list(pandas.read_csv(io.StringIO(text), nrows=0).columns)
        texts = [name for name in names if _is_text(name, signature)]
        frame = pandas.read_csv(
            io.StringIO(text),
            dtype=dict.fromkeys(texts, str),
            keep_default_na=False,
            na_values={name: ["", *MISSING] for name in names if name not in texts},
        )
    except ValueError as error:  # the base class of pandas' own errors of parsing
        raise InvalidInput(f"it is not valid CSV: {error}") from error
    for name in texts:
        column = signature.columns_by_name.get(name)
        is_text = column is not None and column.type in TEXT_TYPES
        if column is not None and not (is_text and column.required):
            frame.loc[frame[name] == "", name] = None
    return frame


def _is_text(name: str, signature: Signature) -> bool:
    """Whether the cells of a column are texts."""
    column = signature.columns_by_name.get(name)
    return column is not None and (column.type in TEXT_TYPES or bool(column.pandas))
