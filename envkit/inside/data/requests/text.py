"""The text of a request or an example, and the JSON in it."""

from __future__ import annotations

import json
from typing import Any

from ..signature import InvalidInput


def read_file(path: str) -> bytes:
    """Read a whole file."""
    with open(path, "rb") as stream:
        return stream.read()


def decode(content: bytes) -> str:
    """Decode UTF-8, with or without a byte order mark. Raises `InvalidInput`."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"it is not UTF-8 text: {error}") from error


def parse_json(content: bytes) -> Any:
    """Parse JSON in UTF-8. Raises `InvalidInput`."""
    text = decode(content)
    try:
        return json.loads(text)
    except RecursionError as error:
        raise InvalidInput("it is nested too deeply") from error
    except ValueError as error:
        raise InvalidInput(f"it is not valid JSON: {error}") from error
