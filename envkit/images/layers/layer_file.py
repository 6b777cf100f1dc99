"""Write layers: tars that are byte-identical whenever their content is.

https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import posixpath
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from envkit.environments.packing.members import Member
from envkit.errors import ToolNotFound
from envkit.images import media_types
from envkit.images.blob_cache import PIECE, BlobCache
from envkit.images.descriptor import Blob, Descriptor
from envkit.images.image import Layer

_GZIP_LEVEL, _ZSTD_LEVEL = 6, 9
_FOLDER_MODE, _FILE_MODE, _PROGRAM_MODE = 0o755, 0o644, 0o755


class Compression(StrEnum):
    """How layers are compressed: gzip, which everything reads, or zstd, smaller and faster."""

    GZIP = "gzip"
    ZSTD = "zstd"


class LayerWriter:
    """Adds entries to the tar of a layer. Everything belongs to root and has the same time."""

    def __init__(self, archive: tarfile.TarFile, time: int) -> None:
        self._archive, self._time = archive, time
        self._folders: set[str] = set()

    def add(self, member: Member, prefix: str = "") -> None:
        """Add a file or link, and its folders. Raises `OSError` when it cannot be read."""
        name = posixpath.join(prefix, member.name)
        self._add_folders(posixpath.dirname(name))
        entry = tarfile.TarInfo(name)
        if member.link:
            entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, member.link, 0o777
            self.add_entry(entry)
            return
        entry.mode = _PROGRAM_MODE if member.executable else _FILE_MODE
        with _open(member) as content:
            entry.size = content.seek(0, os.SEEK_END)
            content.seek(0)
            self.add_entry(entry, content)

    def add_folder(self, name: str, mode: int = _FOLDER_MODE) -> None:
        """Add a folder with its parents, once."""
        self._add_folders(posixpath.dirname(name))
        if name not in self._folders:
            self._folders.add(name)
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            self.add_entry(entry)

    def add_entry(self, entry: tarfile.TarInfo, content: IO[bytes] | None = None) -> None:
        """Add an entry as it is, but for its time and owner's name."""
        entry.mtime = self._time
        entry.uname = entry.gname = ""
        entry.pax_headers = {}
        self._archive.addfile(entry, content)

    def _add_folders(self, name: str) -> None:
        if name:
            self.add_folder(name)


@contextmanager
def new_layer(
    cache: BlobCache, compression: Compression, created_by: str, time: int
) -> Iterator[tuple[LayerWriter, list[Layer]]]:
    """Give a writer, and a list that holds the layer when the context has ended.

    The layer is kept in the cache. Raises `ToolNotFound` when zstd is not installed, `OSError`.
    """
    result: list[Layer] = []
    with cache.new_file() as path:
        diff_id = hashlib.sha256()
        with (
            path.open("wb") as file,
            _compressed(file, compression) as packed,
            _tar(_Hashing(packed, diff_id)) as archive,
        ):
            yield LayerWriter(archive, time), result
        blob = _blob(path, compression)
        kept = cache.adopt(path, blob.descriptor.digest)
    result.append(
        Layer(
            blob=Blob(descriptor=blob.descriptor, content=kept),
            diff_id=f"sha256:{diff_id.hexdigest()}",
            created_by=created_by,
        )
    )


def write_layer(
    members: Iterable[Member],
    prefix: str,
    *,
    cache: BlobCache,
    compression: Compression,
    created_by: str,
    time: int,
) -> Layer:
    """Write a layer of members below a folder of the image. Raises as `new_layer`."""
    with new_layer(cache, compression, created_by, time) as (writer, result):
        for member in members:
            writer.add(member, prefix)
    return result[0]


class _Hashing:
    """A stream that hashes what goes through."""

    def __init__(self, stream: Any, digest: Any) -> None:
        self._stream, self._digest = stream, digest

    def write(self, content: bytes) -> int:
        self._digest.update(content)
        self._stream.write(content)
        return len(content)


def _tar(stream: Any) -> tarfile.TarFile:
    return tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, bufsize=PIECE)


@contextmanager
def _compressed(file: IO[bytes], compression: Compression) -> Iterator[Any]:
    if compression is Compression.GZIP:
        with gzip.GzipFile(
            filename="", mode="wb", fileobj=file, compresslevel=_GZIP_LEVEL, mtime=0
        ) as stream:
            yield stream
        return
    try:
        import zstandard  # an optional library
    except ImportError:
        raise ToolNotFound(
            "zstandard", "Install envkit's extra `images`, or use `--compression gzip`."
        ) from None
    # one thread: with several, the bytes depend on their number
    compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
    with compressor.stream_writer(file, closefd=False) as stream:
        yield stream


def _blob(path: Path, compression: Compression) -> Blob:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    descriptor = Descriptor(
        media_type=f"{media_types.LAYER}+{compression}",
        digest=f"sha256:{digest.hexdigest()}",
        size=path.stat().st_size,
    )
    return Blob(descriptor=descriptor, content=path)


def _open(member: Member) -> IO[bytes]:
    if isinstance(member.content, Path):
        return member.content.open("rb")
    return io.BytesIO(member.content or b"")
