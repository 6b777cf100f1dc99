"""The files in an archive, one after the other: zip, which torch and NumPy write, and tar."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from envkit.analysis.bounded_streams import Bounded, TooLarge, Unreadable

ZIP = b"PK\x03\x04"
START = 512  # bytes that are enough to recognise a format
MAX_NESTED = 64_000_000  # bytes of an archive in an archive, which is read into memory


def is_archive(start: bytes) -> bool:
    """Whether the first bytes of a file are those of an archive."""
    is_tar = start[257:262] == b"ustar"
    return is_tar or start.startswith(ZIP)


def members(
    stream: Any,
    start: bytes,
    most: int,
    limit: int,
) -> Iterator[tuple[str, BinaryIO]]:
    """Yield name and content of each file in an archive that begins with `start`.

    The contents can be peeked into. Raises `TooLarge` for more than `most` files, and for a tar of
    more than `limit` bytes, which can only be read from its beginning; `Unreadable` for a damaged
    archive.
    """
    try:
        if start.startswith(ZIP):
            yield from _of_zip(stream, most)
        else:
            yield from _of_tar(stream, most, limit)
    except (tarfile.TarError, zipfile.BadZipFile) as error:
        raise Unreadable(f"it is damaged ({error})") from error


def _of_zip(stream: Any, most: int) -> Iterator[tuple[str, BinaryIO]]:
    if stream.seekable():
        whole = stream
    else:
        whole = io.BytesIO(Bounded(stream, MAX_NESTED).read_all())
    with zipfile.ZipFile(whole) as archive:
        entries = archive.infolist()
        if len(entries) > most:
            raise _too_many(most)
        for entry in entries:
            if not entry.is_dir():
                with archive.open(entry) as inner:
                    yield entry.filename, cast("BinaryIO", inner)


def _of_tar(
    stream: Any,
    most: int,
    limit: int,
) -> Iterator[tuple[str, BinaryIO]]:
    bounded = cast("BinaryIO", Bounded(stream, limit))
    with tarfile.open(fileobj=bounded, mode="r|") as archive:
        for count, entry in enumerate(archive):
            if count >= most:
                raise _too_many(most)
            if not entry.isreg():
                continue
            inner = archive.extractfile(entry)
            if inner is not None:
                yield entry.name, cast("BinaryIO", inner)


def _too_many(most: int) -> TooLarge:
    return TooLarge(f"it holds more than {most:,} files")
