"""Streams with a limit, because a few bytes may unpack into more than fits in memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any, BinaryIO, cast

from envkit.analysis.mentions import UnreadReason

BLOCK = 1 << 16
LZ4, ZSTANDARD = b"\x04\x22\x4d\x18", b"\x28\xb5\x2f\xfd"
MAX_AT_ONCE = 256_000_000  # bytes that are held in memory
MAX_LINE = 1 << 20  # bytes


class Unreadable(Exception):
    """The artifact is damaged, or not in a known format."""

    reason = UnreadReason.BROKEN


class TooLarge(Unreadable):
    """The artifact is larger than is read."""

    reason = UnreadReason.TOO_LARGE


class Bounded:
    """Reads from another stream, and raises `TooLarge` when that has more than `limit` bytes."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._read = 0

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes."""
        if size > MAX_AT_ONCE:
            raise TooLarge(f"it holds a piece of {size:,} bytes")
        block = self._stream.read(min(size, self._most()))
        return self._counted(block)

    def read_all(self) -> bytes:
        """Read to the end."""
        blocks = []
        while block := self.read(BLOCK):
            blocks.append(block)
        return b"".join(blocks)

    def readline(self) -> bytes:
        """Read a line."""
        line = self._stream.readline(min(MAX_LINE, self._most()))
        return self._counted(line)

    def tell(self) -> int:
        """How many bytes were read."""
        return self._read

    def skip(self, size: int) -> None:
        """Read past so many bytes."""
        while size > 0:
            block = self.read(min(size, BLOCK))
            if not block:
                raise Unreadable("it is cut off")
            size -= len(block)

    def _most(self) -> int:
        """One byte more than is left, which shows that the limit is exceeded."""
        return self._limit - self._read + 1

    def _counted(self, block: bytes) -> bytes:
        self._read += len(block)
        if self._read > self._limit:
            raise TooLarge(f"it unpacks into more than {self._limit:,} bytes")
        return block


def unpacked(stream: io.BufferedReader) -> BinaryIO:
    """Return the stream without its compression, which its first bytes name.

    The compressions are those of joblib, and Zstandard.
    """
    start = stream.peek(8)[:8]
    for magic, opener in _OPENERS:
        if start.startswith(magic):
            return cast("BinaryIO", opener(stream))
    return stream


class _Zstandard(io.RawIOBase):
    """Turns the exception that the library has for damaged data into `Unreadable`."""

    def __init__(self, stream: BinaryIO, damaged: type[Exception]) -> None:
        self._stream, self._damaged = stream, damaged

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        try:
            block = self._stream.read(len(buffer))
        except self._damaged as error:
            raise Unreadable(f"it is damaged ({error})") from error
        buffer[: len(block)] = block
        return len(block)


class _Zlib(io.RawIOBase):
    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._unpacker = stream, zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        while not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._stream.read(BLOCK)
            block = self._unpacker.decompress(packed, len(buffer))
            if block or not packed:
                buffer[: len(block)] = block
                return len(block)
        return 0


def _zlib(stream: BinaryIO) -> BinaryIO:
    return io.BufferedReader(_Zlib(stream), BLOCK)


def _gzip(stream: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream))


def _lz4(stream: BinaryIO) -> BinaryIO:
    library = _library("lz4.frame", "lz4")
    return io.BufferedReader(library.LZ4FrameFile(stream), BLOCK)


def _zstandard(stream: BinaryIO) -> BinaryIO:
    library = _library("zstandard", "zstandard")
    reader = library.ZstdDecompressor().stream_reader(stream)
    return io.BufferedReader(_Zstandard(reader, library.ZstdError), BLOCK)


def _library(module: str, package: str) -> Any:
    """Import a library that envkit needs for this alone."""
    try:
        return import_module(module)
    except ImportError as error:
        raise Unreadable(
            f"it is compressed, and {package} is not installed where envkit runs "
            "(install envkit with the extra `artifacts`)"
        ) from error


Opener = Callable[[Any], Any]
_OPENERS: tuple[tuple[bytes, Opener], ...] = (
    (b"\x78\x01", _zlib),
    (b"\x78\x5e", _zlib),
    (b"\x78\x9c", _zlib),
    (b"\x78\xda", _zlib),
    (b"\x1f\x8b", _gzip),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ", lzma.LZMAFile),
    (b"\x5d\x00\x00", lzma.LZMAFile),
    (LZ4, _lz4),
    (ZSTANDARD, _zstandard),
)
