"""Data frames from the two forms that JSON requests have for them."""

from __future__ import annotations

from typing import Any

from ..optional_libraries import data_frame
from ..signature import InvalidInput, Signature

SPLIT_KEYS = {"columns", "index", "data"}
SPLIT_FORM = "`data` and optionally `columns` and `index`"


def frame_from_split(value: Any, signature: Signature) -> Any:
    """Make a data frame of {"columns", "index", "data"}. Raises `InvalidInput`."""
    rows, columns = split_parts(value)
    options = _options(signature)
    return data_frame(
        "`dataframe_split`", rows, index=value.get("index"), columns=columns, **options
    )


def split_parts(value: Any) -> tuple[Any, Any]:
    """Give the rows and the names of the columns, or None, of such an object.

    Raises `InvalidInput`.
    """
    if not isinstance(value, dict):
        raise InvalidInput(f"`dataframe_split` must be an object with {SPLIT_FORM}")
    unknown = sorted(set(value) - SPLIT_KEYS)
    if unknown:
        raise InvalidInput(f"`dataframe_split`: `{unknown[0]}` is unknown; it has {SPLIT_FORM}")
    if "data" not in value:
        raise InvalidInput(f"`dataframe_split`: `data` is missing; it has {SPLIT_FORM}")
    return value["data"], value.get("columns")


def _options(signature: Signature) -> dict[str, Any]:
    """Keep the values of a column with a dtype of its own: pandas makes floats of gaps."""
    if signature.has_pandas_types:
        return {"dtype": object}
    return {}


def frame_from_records(value: Any, signature: Signature) -> Any:
    """Make a data frame of a list of objects, one per row. Raises `InvalidInput`."""
    if not isinstance(value, list):
        raise InvalidInput("`dataframe_records` must be a list of objects, one per row")
    return data_frame("`dataframe_records`", value, **_options(signature))
