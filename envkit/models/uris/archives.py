"""A model in one archive, as SageMaker's `model.tar.gz`: taken apart into an empty folder, trusting nothing in it.

Refused are names that lead out, links, devices, names that come twice, encrypted members, and
archives that hold far more than their size lets expect.
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

_MOST_TIMES = 200  # a bomb shrinks to a thousandth
_ALWAYS_ALLOWED = 200_000_000
_MOST_MEMBERS = 200_000
_CHUNK = 1 << 20
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,
    NotImplementedError,
)

Member = tuple[str, IO[bytes] | None]  # a folder has no content


def extract(archive: Path, into: Path, name: str) -> None:
    """Write the members of an archive into a folder that exists and is empty. Messages call the archive `name`.

    Raises `InvalidFile` for what is hostile or damaged; what was written until then stays, for the
    caller to remove.
    """
    left = _MOST_TIMES * archive.stat().st_size + _ALWAYS_ALLOWED
    seen: set[str] = set()
    try:
        for member, stream in _members(archive, name):
            path = _safe(member, name)
            if stream is None:
                (into / path).mkdir(parents=True, exist_ok=True)
            elif path in seen or len(seen) >= _MOST_MEMBERS:
                raise InvalidFile(
                    name, member, "comes twice" if path in seen else "is one file too many"
                )
            else:
                seen.add(path)
                left = _write(into / path, stream, left, name)
    except _DAMAGE as error:
        raise InvalidFile(name, "", f"is no archive, or a damaged one ({error})") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise InvalidFile(name, "", "has a file and a folder of the same name") from error


def model_in(folder: Path) -> Path:
    """Give where the model is in what was extracted: the folder itself, or the only folder in it."""
    if (folder / mlmodel.FILE_NAME).exists():
        inner = []
    else:
        inner = [each for each in folder.iterdir() if _counts(each)]
    if len(inner) == 1 and inner[0].is_dir():
        return inner[0]
    return folder


def holds_model(archive: Path) -> bool:
    """Whether a ZIP file holds an `MLmodel`: other files are of that format, too. True for what is no ZIP file."""
    try:
        with zipfile.ZipFile(archive) as opened:
            return any(name.rpartition("/")[2] == mlmodel.FILE_NAME for name in opened.namelist())
    except (OSError, *_DAMAGE):
        return True


def _counts(path: Path) -> bool:
    return not path.name.startswith(("._", ".DS_Store", "__MACOSX"))


def _members(archive: Path, name: str) -> Iterator[Member]:
    yield from _in_zip(archive, name) if zipfile.is_zipfile(archive) else _in_tar(archive, name)


def _in_tar(archive: Path, name: str) -> Iterator[Member]:
    with tarfile.open(archive, mode="r|*") as opened:
        for entry in opened:
            opened.members.clear()  # type: ignore[attr-defined]  # or it keeps them all
            if not (entry.isreg() or entry.isdir()):
                raise InvalidFile(
                    name, entry.name, "is neither a file nor a folder but a link or a device"
                )
            yield entry.name, opened.extractfile(entry) if entry.isreg() else None


def _in_zip(archive: Path, name: str) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise InvalidFile(
                    name, entry.filename, "is neither a file nor a folder but a link or a device"
                )
            if entry.flag_bits & 1:
                raise InvalidFile(name, entry.filename, "is encrypted")
            if entry.is_dir():
                yield entry.filename, None
            else:
                with opened.open(entry) as stream:
                    yield entry.filename, stream


def _safe(member: str, name: str) -> str:
    parts = [part for part in member.split("/") if part not in ("", ".")]
    if member.startswith("/") or ".." in parts or "\0" in member or "\\" in member:
        raise InvalidFile(name, member, "is a name that leads out of the model")
    return "/".join(parts)


def _write(target: Path, stream: IO[bytes], left: int, name: str) -> int:
    """Write a file; give how many bytes may still come."""
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(target, flags, 0o644), "wb") as file:
        while chunk := stream.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise InvalidFile(
                    name, "", "holds far more than an archive of its size does: it is not unpacked"
                )
            file.write(chunk)
    return left
