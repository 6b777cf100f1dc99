"""Python values as bytes that keep their types, for two interpreters of which one is not trusted.

Nothing in the bytes can run code: they are a JSON text and the plain buffers of arrays. The two
interpreters may have different versions of Python, NumPy and pandas.

    8 bytes      number of bytes of the JSON text, big-endian, then that text
    for each of its buffers: 8 bytes, its length, then the buffer

In the JSON text a value is `null`, `true`, `false`, a number (also `NaN`, `Infinity`), a string, a
list, or an object whose key `$` names its kind. The methods of `wire_reader.Reader` are the list of
kinds.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Iterator

from .json_encoding import NotEncodable
from .wire_reader import Malformed, Reader
from .wire_writer import SUBJECT, Writer

__all__ = ["Malformed", "NotEncodable", "dumps", "loads"]

LENGTH = struct.Struct(">Q")
MALFORMED = (  # what reading a malformed node can raise
    ArithmeticError,
    AttributeError,
    IndexError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


def dumps(value: Any) -> bytes:
    """Convert a value to bytes. Raises `NotEncodable` for a value of an unknown kind."""
    writer = Writer()
    try:
        text = json.dumps(writer.node(value)).encode("utf-8", "surrogatepass")
    except RecursionError as error:
        raise NotEncodable("contains itself, or is nested too deeply", SUBJECT) from error
    parts: list[bytes] = []
    for content in (text, *writer.buffers):
        parts += [LENGTH.pack(len(content)), content]
    return b"".join(parts)


def loads(content: bytes) -> Any:
    """Convert bytes to the value.

    Raises `Malformed`, and `ImportError` when its library is missing.
    """
    try:
        text, *buffers = _parts(memoryview(content))
        node = json.loads(bytes(text).decode("utf-8", "surrogatepass"))
        return Reader(buffers).value(node)
    except Malformed:
        raise
    except MALFORMED as error:
        raise Malformed(f"{type(error).__name__}: {error}") from error


def _parts(content: memoryview) -> Iterator[memoryview]:
    """Yield the JSON text, then each buffer."""
    position = 0
    while position < len(content):
        (length,) = LENGTH.unpack_from(content, position)
        position += LENGTH.size
        if length > len(content) - position:
            raise Malformed("it is cut off")
        yield content[position : position + length]
        position += length
