"""The dynamic section of an ELF file: which libraries it links, and what it is called itself.

https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html. 64-bit files only, as wheels for
Linux mostly hold. The fields are read from a file that a model may have written, so every offset
is checked by reading no more than is there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = b"\x7fELF\x02"  # and 64 bit
BYTE_ORDERS = {1: "<", 2: ">"}
HEADER_SIZE, PROGRAM_HEADER_SIZE = 64, 56
LOADED, DYNAMIC = 1, 2
END, NEEDED, STRINGS, NAME = 0, 1, 5, 14
MOST_HEADERS = 200
MOST_DYNAMIC_BYTES = 1_000_000
LONGEST_NAME = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicSection:
    """What the loader reads.

    Attributes:
        name: The name under which others link the file (`DT_SONAME`), empty without one.
        needed: The names of the libraries that it links (`DT_NEEDED`).
    """

    name: str = ""
    needed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int


def read(path: str | Path) -> DynamicSection:
    """Read the dynamic section; it is empty for a file that has none or cannot be read."""
    try:
        if not Path(path).is_file():  # opening a FIFO would wait
            return DynamicSection()
        with Path(path).open("rb") as stream:
            return _dynamic_section(stream)
    except (OSError, struct.error, OverflowError, ValueError):
        return DynamicSection()


def _dynamic_section(stream: BinaryIO) -> DynamicSection:
    header = stream.read(HEADER_SIZE)
    if len(header) < HEADER_SIZE or not header.startswith(MAGIC) or header[5] not in BYTE_ORDERS:
        return DynamicSection()
    order = BYTE_ORDERS[header[5]]
    segments = tuple(_segments(stream, header, order))
    entries: list[tuple[int, int]] = []
    for segment in segments:
        if segment.kind == DYNAMIC:
            entries.extend(_entries(stream, segment, order))
    values = dict(entries)
    strings = _file_offset(values.get(STRINGS), segments)
    if strings is None:
        return DynamicSection()
    name = ""
    if NAME in values:
        name = _string(stream, strings + values[NAME])
    needed = tuple(_string(stream, strings + value) for tag, value in entries if tag == NEEDED)
    return DynamicSection(name=name, needed=needed)


def _segments(stream: BinaryIO, header: bytes, order: str) -> Iterator[_Segment]:
    (start,) = struct.unpack_from(f"{order}Q", header, 32)
    size, count = struct.unpack_from(f"{order}HH", header, 54)
    if size < PROGRAM_HEADER_SIZE:
        return
    for number in range(min(count, MOST_HEADERS)):
        stream.seek(start + number * size)
        kind, _, offset, address, _, file_size, _, _ = struct.unpack(
            f"{order}IIQQQQQQ", stream.read(PROGRAM_HEADER_SIZE)
        )
        yield _Segment(kind, offset, address, file_size)


def _entries(stream: BinaryIO, segment: _Segment, order: str) -> Iterator[tuple[int, int]]:
    """Yield the tags of the section with their values."""
    stream.seek(segment.offset)
    content = stream.read(min(segment.size, MOST_DYNAMIC_BYTES))
    whole = len(content) - len(content) % 16
    for tag, value in struct.iter_unpack(f"{order}QQ", content[:whole]):
        if tag == END:
            return
        yield tag, value


def _file_offset(address: int | None, segments: tuple[_Segment, ...]) -> int | None:
    """Where in the file lies what is loaded at an address."""
    if address is None:
        return None
    for segment in segments:
        if segment.kind == LOADED and 0 <= address - segment.address < segment.size:
            return segment.offset + address - segment.address
    return None


def _string(stream: BinaryIO, offset: int) -> str:
    stream.seek(offset)
    return stream.read(LONGEST_NAME).partition(b"\0")[0].decode("utf-8", "replace")
