"""Data of Python as a request in JSON, losing nothing that JSON can hold.

Bytes are base64 texts, times ISO 8601 texts, what is missing is null. NaN and infinities keep their
names (`NaN`, `Infinity`), which Python's readers of JSON take: an answer must be valid JSON, but an
input must not become another.
"""

from __future__ import annotations

import base64
import datetime
from collections.abc import Mapping
from typing import Any

from envkit.errors import InvalidArgument
from envkit.inside.data.missing_values import is_missing
from envkit.inside.data.requests.json_request import CHAT_FORMATS, FORMATS


def request_of(data: Any) -> dict[str, Any]:
    """Give the request that says the same as `data`.

    A mapping that has one of a request's keys is the request, and its values are encoded; any other
    is the `inputs`. Data frames and series keep their index. Raises `InvalidArgument` for what has
    no form in JSON.
    """
    if isinstance(data, Mapping) and any(each in data for each in (*FORMATS, *CHAT_FORMATS)):
        return {str(key): encoded(value) for key, value in data.items()}
    if _is_table(data):
        frame = data if hasattr(data, "columns") else data.to_frame()
        if not frame.columns.is_unique:
            raise InvalidArgument(
                "The data frame has several columns of one name; JSON would keep one of them."
            )
        split = frame.to_dict(orient="split")
        return {
            "dataframe_split": {key: encoded(split[key]) for key in ("columns", "index", "data")}
        }
    return {"inputs": encoded(data)}


def encoded(value: Any) -> Any:
    """Give values of Python, NumPy and pandas as JSON has them. Raises `InvalidArgument`."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): encoded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [encoded(each) for each in value]
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    if is_missing(value):
        return None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return _of_library(value)


def _of_library(value: Any) -> Any:
    dtype = str(getattr(value, "dtype", ""))
    if dtype.startswith("datetime64"):
        if value.ndim:
            return [encoded(each) for each in value]
        return _time(value)
    if _is_table(value):
        return encoded(
            value.to_dict(orient="records") if hasattr(value, "columns") else value.tolist()
        )
    if type(value).__module__.startswith("scipy.sparse"):
        return encoded(value.toarray())
    if hasattr(value, "model_dump"):
        return encoded(value.model_dump())
    plain = value.tolist() if hasattr(value, "tolist") else value
    if plain is value or isinstance(plain, complex):
        raise InvalidArgument(
            f"input_data has a {type(value).__name__}, which cannot be written as JSON."
        )
    return encoded(plain)


def _time(value: Any) -> str | None:
    said = str(value)
    if said == "NaT":
        return None
    return said


def _is_table(value: Any) -> bool:
    return hasattr(value, "iloc") and hasattr(value, "to_dict")
