"""Conversion of single values, as JSON has them, to the basic types of a signature.

Needs no library.

As everywhere, no value is changed to fit: 2.0 is a whole number, 2.5 is not.
"""

from __future__ import annotations

import base64
import binascii
import datetime
from typing import Any, Callable

from ..missing_values import is_missing
from ..signature import InvalidInput

LARGEST_EXACT = 2**53  # larger whole numbers may have been rounded on their way through a float
BOOLEANS = {
    "true": True,
    "t": True,
    "false": False,
    "f": False,
}
NUMBER_TYPES = ("integer", "long", "float", "double")
BITS = {"integer": 32, "long": 64}


def convert_values(
    values: list[Any],
    kind: str,
    label: str,
    required: bool,
) -> list[Any]:
    """Convert each value to a type; missing ones become None where they are allowed.

    label: how messages refer to the values. Raises `InvalidInput`.
    """
    convert = CONVERTERS.get(kind)
    if convert is None:
        return values
    converted: list[Any] = []
    for value in values:
        if not required and is_missing(value):
            converted.append(None)
        else:
            converted.append(convert(value, kind, label))
    return converted


def read_text(text: str, kind: str) -> Any:
    """Read a boolean or a number of CSV; what is neither stays a text."""
    if kind == "boolean":
        return BOOLEANS.get(text.lower(), text)
    if kind in NUMBER_TYPES:
        for read in (int, float):
            try:
                return read(text)
            except ValueError:
                continue
    return text


def decode_base64(value: Any, kind: str, label: str) -> bytes:
    """Decode a base64 string; bytes stay as they are. Raises `InvalidInput`."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    try:
        encoded = value.encode("ascii").replace(b"\n", b"")
        return base64.b64decode(encoded, validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error) as error:
        raise _invalid(label, kind, f"must be a base64 string: {error}") from error


def _boolean(value: Any, kind: str, label: str) -> bool:
    """Accept booleans only: 0 and 1 are numbers."""
    if isinstance(value, bool):
        return value
    raise _invalid(label, kind, f"must be true or false, not {value!r}")


def _whole_number(value: Any, kind: str, label: str) -> int:
    """Convert to an integer of the type's size; 2.0 is one."""
    if isinstance(value, float):
        is_whole = value.is_integer() and abs(value) <= LARGEST_EXACT
    else:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole:
        raise _invalid(label, kind, f"must be a whole number, not {value!r}")
    limit = 2 ** (BITS[kind] - 1)
    if not -limit <= value < limit:
        raise _invalid(label, kind, f"does not fit into {BITS[kind]} bits")
    return int(value)


def _number(value: Any, kind: str, label: str) -> float:
    """Convert to a float; null is NaN."""
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _invalid(label, kind, f"must be a number, not {value!r}")
    try:
        return float(value)
    except OverflowError as error:
        raise _invalid(label, kind, f"is not valid: {error}") from error


def _string(value: Any, kind: str, label: str) -> str:
    """Accept strings only."""
    if isinstance(value, str):
        return value
    raise _invalid(label, kind, f"must be a string, not {value!r}")


def _datetime(value: Any, kind: str, label: str) -> datetime.datetime:
    """Read an ISO 8601 date and time without a time zone."""
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, datetime.date):
        return datetime.datetime.combine(value, datetime.time())
    try:
        time = datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _invalid(label, kind, f"must be an ISO 8601 date and time, not {value!r}") from error
    if time.tzinfo is not None:
        raise _invalid(label, kind, f"must have no time zone: {value!r}")
    return time


def _invalid(label: str, kind: str, problem: str) -> InvalidInput:
    """Make the error for a value of another type."""
    return InvalidInput(f"{label} ({kind}) {problem}")


CONVERTERS: dict[str, Callable[[Any, str, str], Any]] = {
    "boolean": _boolean,
    "integer": _whole_number,
    "long": _whole_number,
    "float": _number,
    "double": _number,
    "string": _string,
    "binary": decode_base64,
    "datetime": _datetime,
}
