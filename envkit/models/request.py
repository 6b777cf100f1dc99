"""Python data as a JSON request, without losing anything that JSON can hold.

Bytes become base64 texts, times ISO 8601 texts, missing values null. NaN and infinities keep their
names (`NaN`, `Infinity`), which Python's JSON readers accept: answers must be valid JSON, but an
input must not change its value.
"""

from __future__ import annotations

import base64
import datetime
from collections.abc import Mapping
from typing import Any

from envkit.errors import InvalidArgument
from envkit.inside.data.missing_values import is_missing
from envkit.inside.data.requests.json_request import CHAT_FORMATS, FORMATS

_KEYS = frozenset({*FORMATS, *CHAT_FORMATS})


def request_of(data: Any) -> dict[str, Any]:
    """Return the request for data; raise `InvalidArgument` for data that JSON cannot hold.

    A mapping with a key of a request is the request itself, and its values are encoded; any other
    mapping is the value of `inputs`. Data frames and series keep their index.
    """
    if isinstance(data, tuple) and len(data) == 2 and isinstance(data[1], dict):
        return {**request_of(data[0]), "params": encoded(data[1])}
    if isinstance(data, Mapping) and not _KEYS.isdisjoint(data):
        return {str(key): encoded(value) for key, value in data.items()}
    if _is_table(data):
        return {"dataframe_split": _split(data)}
    return {"inputs": encoded(data)}


def encoded(value: Any) -> Any:
    """Return the JSON value of a Python, NumPy or pandas value; raise `InvalidArgument` if none."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): encoded(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [encoded(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    if is_missing(value):
        return None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return _encoded_library_value(value)


def _encoded_library_value(value: Any) -> Any:
    if str(getattr(value, "dtype", "")).startswith("datetime64"):
        return _encoded_times(value)
    if hasattr(value, "columns") and _is_table(value):
        return encoded(value.to_dict(orient="records"))
    if type(value).__module__.startswith("scipy.sparse"):
        return encoded(value.toarray())
    if hasattr(value, "model_dump"):
        return encoded(value.model_dump())
    # Arrays, series and NumPy's scalars.
    plain = value.tolist() if hasattr(value, "tolist") else value
    if plain is value or isinstance(plain, complex):
        raise InvalidArgument(
            f"input_data has a {type(value).__name__}, which cannot be written as JSON."
        )
    return encoded(plain)


def _encoded_times(value: Any) -> Any:
    if value.ndim:
        return [encoded(item) for item in value]
    text = str(value)
    if text == "NaT":
        return None
    return text


def _split(table: Any) -> dict[str, Any]:
    frame = table if hasattr(table, "columns") else table.to_frame()
    if not frame.columns.is_unique:
        raise InvalidArgument(
            "Several columns of the data frame have the same name, and JSON would keep one of them."
        )
    split = frame.to_dict(orient="split")
    return {key: encoded(split[key]) for key in ("columns", "index", "data")}


def _is_table(value: Any) -> bool:
    return hasattr(value, "iloc") and hasattr(value, "to_dict")
