"""Basic values of a signature's types, from the values that JSON has; without any library.

As everywhere, no value is changed to fit: 2.0 is a whole number, 2.5 is none.
"""

from __future__ import annotations

import base64
import binascii
import datetime
from typing import Any, List

from .nested import is_missing
from .signature import InvalidInput

EXACT = 2**53  # whole numbers beyond it may have been rounded on their way through a float
BITS = {"integer": 32, "long": 64}


def from_json(values: List[Any], kind: str, where: str, required: bool) -> List[Any]:
    """Give each value as the type has it; None stays where it is allowed. Raises `InvalidInput`."""
    convert = {
        "boolean": _boolean,
        "integer": _whole,
        "long": _whole,
        "float": _number,
        "double": _number,
        "string": _text,
        "binary": decoded,
        "datetime": _time,
    }.get(kind)
    if convert is None:
        return values
    return [
        None if not required and is_missing(each) else convert(each, kind, where) for each in values
    ]


def decoded(value: Any, kind: str, where: str) -> bytes:
    """Give the bytes of a base64 text; bytes as they are. Raises `InvalidInput`."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    try:
        return base64.b64decode(value.encode("ascii").replace(b"\n", b""), validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error) as error:
        raise InvalidInput(f"{where} ({kind}) takes bytes as base64 text only: {error}") from error


def _boolean(value: Any, kind: str, where: str) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidInput(f"{where} ({kind}) takes true and false only, not {value!r}")


def _whole(value: Any, kind: str, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidInput(f"{where} ({kind}) takes whole numbers only, not {value!r}")
    if isinstance(value, float) and not (value.is_integer() and abs(value) <= EXACT):
        raise InvalidInput(f"{where} ({kind}) takes whole numbers only, not {value!r}")
    limit = 2 ** (BITS[kind] - 1)
    if not -limit <= value < limit:
        raise InvalidInput(
            f"{where} ({kind}) holds a number that does not fit into {BITS[kind]} bits"
        )
    return int(value)


def _number(value: Any, kind: str, where: str) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidInput(f"{where} ({kind}) takes numbers only, not {value!r}")
    try:
        return float(value)
    except OverflowError as error:
        raise InvalidInput(f"{where} ({kind}): {error}") from error


def _text(value: Any, kind: str, where: str) -> str:
    if isinstance(value, str):
        return value
    raise InvalidInput(f"{where} ({kind}) takes texts only, not {value!r}")


def _time(value: Any, kind: str, where: str) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, datetime.date):
        return datetime.datetime.combine(value, datetime.time())
    try:
        found = datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"{where} ({kind}) takes times as ISO 8601 texts only, not {value!r}"
        ) from error
    if found.tzinfo is not None:
        raise InvalidInput(f"{where} ({kind}) takes times without a time zone only, not {value!r}")
    return found
