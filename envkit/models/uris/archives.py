"""Unpack a model from one archive, such as SageMaker's `model.tar.gz`, without trusting it.

Refused are names that lead out of the folder, links, devices, duplicate names, encrypted members,
and archives that hold far more than their size suggests.
"""

from __future__ import annotations

import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from envkit.errors import InvalidFile
from envkit.formats import mlmodel

# An archive may hold so many times its own size, and that much in any case. Bombs reach 1,000.
_MOST_TIMES = 200
_ALWAYS_ALLOWED = 200_000_000
_MOST_MEMBERS = 200_000
_CHUNK = 1 << 20
# What the libraries raise for a damaged archive.
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,
    NotImplementedError,
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
        for member, stream in _members(archive, name):
            path = _checked_path(member, name)
            if stream is None:
                (into / path).mkdir(parents=True, exist_ok=True)
                continue
            if path in paths:
                raise InvalidFile(name, member, "is a duplicate")
            if len(paths) >= _MOST_MEMBERS:
                raise InvalidFile(name, member, f"exceeds the limit of {_MOST_MEMBERS} files")
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
        with zipfile.ZipFile(archive) as opened:
            return any(name.rpartition("/")[2] == mlmodel.FILE_NAME for name in opened.namelist())
    except (OSError, *_DAMAGED):
        return True


def _is_metadata(path: Path) -> bool:
    """Return whether macOS added a file."""
    return path.name.startswith(("._", ".DS_Store", "__MACOSX"))


def _members(archive: Path, name: str) -> Iterator[Member]:
    if zipfile.is_zipfile(archive):
        return _zip_members(archive, name)
    return _tar_members(archive, name)


def _tar_members(archive: Path, name: str) -> Iterator[Member]:
    with tarfile.open(archive, mode="r|*") as opened:
        for entry in opened:
            # Otherwise it keeps every member in memory.
            opened.members.clear()  # type: ignore[attr-defined]
            if entry.isdir():
                yield entry.name, None
            elif entry.isreg():
                yield entry.name, opened.extractfile(entry)
            else:
                raise InvalidFile(name, entry.name, "is a link or a device")


def _zip_members(archive: Path, name: str) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as opened:
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
