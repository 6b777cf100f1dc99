"""Messages between a worker and the program that asks it, over a stream socket.

Each has a header, which is a JSON object, and a body of any bytes. Before them go their lengths: 4
and 8 bytes, the most significant first.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Mapping

LENGTHS = struct.Struct("!IQ")
PIECE = 1 << 20
SMALL = 1 << 16  # bytes of a body that goes together with what is before it


def begun(header: Mapping[str, Any], size: int) -> bytes:
    """Give all of a message but its body, which has `size` bytes."""
    text = json.dumps(header).encode("ascii")
    return LENGTHS.pack(len(text), size) + text


def write(channel: Any, header: Mapping[str, Any], body: bytes = b"") -> None:
    """Send a message over a socket. Raises `OSError` when nobody is there to read it."""
    start = begun(header, len(body))
    if len(body) <= SMALL:
        channel.sendall(start + body)
    else:  # not joined, which would copy it
        channel.sendall(start)
        channel.sendall(body)


def read(channel: Any) -> tuple[Mapping[str, Any], bytes] | None:
    """Wait for a message and give its header and body; None when the other side has ended.

    Raises `OSError` when the socket fails, `ValueError` for what is no message.
    """
    lengths = _exactly(channel, LENGTHS.size)
    if lengths is None:
        return None
    header_size, body_size = LENGTHS.unpack(lengths)
    found = _exactly(channel, header_size + body_size)
    if found is None:
        return None
    return json.loads(found[:header_size]), bytes(memoryview(found)[header_size:])


def _exactly(channel: Any, size: int) -> bytearray | None:
    found = bytearray()
    while len(found) < size:
        piece = channel.recv(min(size - len(found), PIECE))
        if not piece:
            return None
        found += piece
    return found
