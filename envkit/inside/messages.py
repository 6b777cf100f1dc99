"""Reading and writing the messages of a worker and its parent (`__main__` documents them)."""

from __future__ import annotations

import json
import struct
from typing import Any, Mapping

LENGTHS = struct.Struct("!IQ")
PIECE = 1 << 20
SMALL = 1 << 16  # bytes of a body that is sent together with what precedes it


def begun(header: Mapping[str, Any], size: int) -> bytes:
    """Give everything of a message that precedes its body, which has `size` bytes."""
    text = json.dumps(header).encode("ascii")
    return LENGTHS.pack(len(text), size) + text


def write(channel: Any, header: Mapping[str, Any], body: bytes = b"") -> None:
    """Send a message over a socket. Raises `OSError` when the other side has ended."""
    start = begun(header, len(body))
    if len(body) <= SMALL:
        channel.sendall(start + body)
    else:  # not joined, which would copy it
        channel.sendall(start)
        channel.sendall(body)


def read(channel: Any) -> tuple[Mapping[str, Any], bytes] | None:
    """Wait for a message and give its header and body; None when the other side has ended.

    Raises `OSError` when the socket fails, `ValueError` for a malformed message.
    """
    lengths = _read_exactly(channel, LENGTHS.size)
    if lengths is None:
        return None
    header_size, body_size = LENGTHS.unpack(lengths)
    content = _read_exactly(channel, header_size + body_size)
    if content is None:
        return None
    header: Mapping[str, Any] = json.loads(content[:header_size])
    return header, bytes(memoryview(content)[header_size:])


def _read_exactly(channel: Any, size: int) -> bytearray | None:
    """Read a number of bytes; None when the socket ends before."""
    content = bytearray()
    while len(content) < size:
        piece = channel.recv(min(size - len(content), PIECE))
        if not piece:
            return None
        content += piece
    return content
