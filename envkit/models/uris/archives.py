"""Unpack a model from one archive, such as SageMaker's `model.tar.gz`, without trusting it.

Refused are names that lead out of the folder, links, devices, duplicate names, encrypted members,
and archives that hold far more than their size suggests, in contents, members or headers.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from envkit.errors import InvalidFile
from envkit.formats import mlmodel

# An archive may hold so many times its own size, and that much in any case. Bombs reach 1,000.
_MOST_TIMES = 200
_ALWAYS_ALLOWED = 200_000_000
_MOST_MEMBERS = 200_000
_CHUNK = 1 << 20
# Of what describes one member of a tar file: names are 4 KB at most, attributes 64 KB each.
_MOST_HEADER_BYTES = 1 << 20
_MOST_GLOBAL_BYTES = 1 << 16
_TAR_BLOCK = 1 << 16
# Of what describes all members of a ZIP file, which is read at once.
_MOST_DIRECTORY_BYTES = 32_000_000
_OPENERS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ", lzma.open))
# What the libraries raise for a damaged archive.
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,
    NotImplementedError,
    gzip.BadGzipFile,
    RecursionError,
)

Member = tuple[str, IO[bytes] | None]
"""A name and its content, None for a folder."""


def extract(archive: Path, into: Path, name: str) -> None:
    """Unpack an archive into a folder that is empty; messages call the archive `name`.

    Raises `InvalidFile` if the archive is hostile or damaged; what has been written until then
    stays for the caller to remove.
    """
    bytes_left = _MOST_TIMES * archive.stat().st_size + _ALWAYS_ALLOWED
    paths: set[str] = set()
    try:
        for count, (member, stream) in enumerate(_members(archive, name)):
            if count >= _MOST_MEMBERS:
                raise InvalidFile(
                    name, member, f"exceeds the limit of {_MOST_MEMBERS} files and folders"
                )
            path = _checked_path(member, name)
            if stream is None:
                (into / path).mkdir(parents=True, exist_ok=True)
                continue
            if path in paths:
                raise InvalidFile(name, member, "is a duplicate")
            paths.add(path)
            bytes_left = _write(into / path, stream, bytes_left, name)
    except _DAMAGED as error:
        raise InvalidFile(name, "", f"is damaged, or not an archive ({error})") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise InvalidFile(name, "", "has a file and a folder of the same name") from error


def model_in(folder: Path) -> Path:
    """Return where the model is in an unpacked archive: the folder, or the only folder in it."""
    if (folder / mlmodel.FILE_NAME).exists():
        return folder
    members = [path for path in folder.iterdir() if not _is_metadata(path)]
    if len(members) == 1 and members[0].is_dir():
        return members[0]
    return folder


def holds_model(archive: Path) -> bool:
    """Return whether a ZIP file holds an `MLmodel`, unlike others such as PyTorch's files.

    True for files that are not ZIP files.
    """
    try:
        with _open_zip(archive, str(archive)) as opened:
            return any(name.rpartition("/")[2] == mlmodel.FILE_NAME for name in opened.namelist())
    except (OSError, *_DAMAGED):
        return True


def _is_metadata(path: Path) -> bool:
    """Return whether macOS added a file."""
    return path.name.startswith(("._", ".DS_Store", "__MACOSX"))


class _TarStream:
    """The unpacked bytes of a tar file, few of which may be read before the next member.

    `tarfile` holds in memory what describes a member: long names, attributes, maps of sparse files.
    """

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._stream, self._name = stream, name
        self._header_bytes: int | None = 0

    def read(self, size: int) -> bytes:
        block = self._stream.read(size)
        if self._header_bytes is not None:
            self._header_bytes += len(block)
            if self._header_bytes > _MOST_HEADER_BYTES:
                raise InvalidFile(self._name, "", "has a member with too long a header")
        return block

    def expect_content(self) -> None:
        self._header_bytes = None

    def expect_header(self) -> None:
        self._header_bytes = 0


class _ZipStream(io.BufferedReader):
    """A ZIP file, of which only the list of its members is read in one large piece."""

    def __init__(self, archive: Path, name: str) -> None:
        super().__init__(io.FileIO(archive))
        self._archive_name = name

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MOST_DIRECTORY_BYTES:
            raise InvalidFile(self._archive_name, "", "has too long a list of members")
        return super().read(size)


@contextmanager
def _open_zip(archive: Path, name: str) -> Iterator[zipfile.ZipFile]:
    with _ZipStream(archive, name) as file, zipfile.ZipFile(file) as opened:
        yield opened


def _members(archive: Path, name: str) -> Iterator[Member]:
    if zipfile.is_zipfile(archive):
        return _zip_members(archive, name)
    return _tar_members(archive, name)


def _tar_members(archive: Path, name: str) -> Iterator[Member]:
    with _unpacked(archive) as plain:
        stream = _TarStream(plain, name)
        # No `_Stream` of its own for a compression: that unpacks blocks without a limit.
        with tarfile.open(
            fileobj=cast("IO[bytes]", stream), mode="r|", bufsize=_TAR_BLOCK
        ) as opened:
            for entry in opened:
                # Otherwise it keeps every member in memory.
                opened.members.clear()  # type: ignore[attr-defined]
                if sum(map(len, opened.pax_headers.values())) > _MOST_GLOBAL_BYTES:
                    raise InvalidFile(name, entry.name, "has too long a header for all members")
                stream.expect_content()
                if entry.isdir():
                    yield entry.name, None
                elif entry.isreg():
                    yield entry.name, opened.extractfile(entry)
                else:
                    raise InvalidFile(name, entry.name, "is a link or a device")
                stream.expect_header()


def _unpacked(archive: Path) -> IO[bytes]:
    """Open a tar file without its compression."""
    with archive.open("rb") as file:
        start = file.read(6)
    for magic, opener in _OPENERS:
        if start.startswith(magic):
            return cast("IO[bytes]", opener(archive, "rb"))
    return archive.open("rb")


def _zip_members(archive: Path, name: str) -> Iterator[Member]:
    with _open_zip(archive, name) as opened:
        for entry in opened.infolist():
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise InvalidFile(name, entry.filename, "is a link or a device")
            if entry.flag_bits & 1:
                raise InvalidFile(name, entry.filename, "is encrypted")
            if entry.is_dir():
                yield entry.filename, None
                continue
            with opened.open(entry) as stream:
                yield entry.filename, stream


def _checked_path(member: str, name: str) -> str:
    parts = [part for part in member.split("/") if part not in ("", ".")]
    if member.startswith("/") or ".." in parts or "\0" in member or "\\" in member:
        raise InvalidFile(name, member, "leads out of the model")
    return "/".join(parts)


def _write(target: Path, stream: IO[bytes], bytes_left: int, name: str) -> int:
    """Write a file; return how many bytes may still follow."""
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(target, flags, 0o644), "wb") as file:
        while chunk := stream.read(_CHUNK):
            bytes_left -= len(chunk)
            if bytes_left < 0:
                raise InvalidFile(
                    name, "", "holds far more than an archive of its size does; it is not unpacked"
                )
            file.write(chunk)
    return bytes_left
