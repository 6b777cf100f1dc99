"""Values of Python as bytes, with their types, between two interpreters of which one is not trusted.

Nothing in the bytes can run code: they are a JSON text and the plain buffers of arrays. The two
interpreters may have different versions of Python, NumPy and pandas.

    8 bytes      number of bytes of the JSON text, big-endian, then that text
    for each of its buffers: 8 bytes, its length, then the buffer

In the JSON text a value is `null`, `true`, `false`, a number (also `NaN`, `Infinity`), a text, a
list, or an object whose key `$` names its kind; the functions of `wire_reader` are the list of
those.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from .answer import NotEncodable
from .wire_reader import Malformed, Reader
from .wire_writer import Writer

__all__ = ["Malformed", "NotEncodable", "dumps", "loads"]


def dumps(value: Any) -> bytes:
    """Give the bytes. Raises `NotEncodable` for a value that has no form here."""
    writer = Writer()
    try:
        text = json.dumps(writer.node(value)).encode("utf-8", "surrogatepass")
    except RecursionError as error:
        raise NotEncodable("the value contains itself, or is nested too deeply") from error
    parts = [struct.pack(">Q", len(text)), text]
    for each in writer.buffers:
        parts += [struct.pack(">Q", len(each)), each]
    return b"".join(parts)


def loads(content: bytes) -> Any:
    """Give the value. Raises `Malformed`, and `ImportError` where its library is not installed."""
    try:
        parts = list(_parts(memoryview(content)))
        return Reader(parts[1:]).value(json.loads(bytes(parts[0]).decode("utf-8", "surrogatepass")))
    except ImportError:
        raise
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        RecursionError,
        ArithmeticError,
    ) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from error


def _parts(content: memoryview) -> Any:
    place = 0
    while place < len(content):
        (length,) = struct.unpack_from(">Q", content, place)
        place += 8
        if length > len(content) - place:
            raise Malformed("it is cut off")
        yield content[place : place + length]
        place += length
