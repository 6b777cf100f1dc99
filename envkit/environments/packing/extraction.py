"""Take an archive apart into an empty folder, trusting nothing in it.

Refused are names and links that lead out of the folder, anything written through a link, hard
links, devices, names that come twice, and archives that hold far more than their size lets expect.
(`tarfile`'s own filter lets names begin with `/` and hard links pass, and has been got around with
long chains of links.)
"""

from __future__ import annotations

import os
import posixpath
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from envkit.environments.packing import compression, description
from envkit.environments.packing.description import Description
from envkit.errors import InvalidFile, InvalidInput

# what is packed seldom shrinks to less than a tenth; a bomb shrinks to a thousandth
_MOST_TIMES = 200
_ALWAYS_ALLOWED = 200_000_000
_LONGEST_DESCRIPTION = 50_000_000
_MOST_MEMBERS = 2_000_000


class _Bomb(Exception):
    pass


class _Counted:
    """A stream that gives no more than so many bytes."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream, self._left = stream, most

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise _Bomb
        return content


Entries = Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]


@contextmanager
def opened(path: Path) -> Iterator[tuple[Description, Entries]]:
    """Open an archive: give its description and then its members, each with its content.

    Raises `InvalidInput` when there is none, `InvalidFile` for one that is damaged, hostile or
    something else.
    """
    if not path.is_file():
        raise InvalidInput(
            f"No archive at {path}: {'that is a folder' if path.is_dir() else 'there is no such file'}."
        )
    try:
        most = _MOST_TIMES * path.stat().st_size + _ALWAYS_ALLOWED
        with compression.reading(path) as stream, _tar(_Counted(stream, most)) as archive:
            yield _described(archive, path), _members(archive, path)
    except PermissionError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from None
    except _Bomb:
        raise InvalidFile(
            path, "", "holds far more than an archive of its size does: it is not unpacked"
        ) from None
    except compression.damage() as error:
        raise InvalidFile(
            path, "", f"is no archive of an environment, or a damaged one ({error})"
        ) from error


def _tar(stream: _Counted) -> tarfile.TarFile:
    return tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|")


def _next(archive: tarfile.TarFile, path: Path) -> tarfile.TarInfo | None:
    try:
        return archive.next()
    except ValueError as error:  # numbers in headers that are none
        raise InvalidFile(path, "", f"is damaged ({error})") from error


def _described(archive: tarfile.TarFile, path: Path) -> Description:
    first = _next(archive, path)
    if first is not None and first.isreg():
        stream = archive.extractfile(first)
    else:
        stream = None
    if (
        first is None
        or stream is None
        or first.name != description.NAME
        or first.size > _LONGEST_DESCRIPTION
    ):
        raise InvalidFile(
            path, "", "was not made by `envkit pack`", f"It does not begin with {description.NAME}."
        )
    return description.loads(stream.read(), path)


def _members(archive: tarfile.TarFile, path: Path) -> Entries:
    while (entry := _next(archive, path)) is not None:
        archive.members.clear()  # type: ignore[attr-defined]  # or it keeps them all
        if not (entry.isreg() or entry.issym()):
            raise InvalidFile(path, entry.name, "is neither a file nor a symbolic link")
        yield entry, archive.extractfile(entry) if entry.isreg() else None


def extract(path: Path, into: Path, told: Description, members: Entries) -> None:
    """Write the members of an archive into a folder that exists and is empty.

    Raises `InvalidFile` for what is hostile or missing, `OSError` when it cannot be written; what
    was written until then stays, for the caller to remove.
    """
    links: set[str] = set()
    seen: set[str] = set()
    for entry, stream in members:
        name = _safe(entry.name, path)
        if name in seen or len(seen) >= _MOST_MEMBERS:
            raise InvalidFile(
                path, entry.name, "comes twice" if name in seen else "is one too many"
            )
        if any(parent in links for parent in _parents(name)):
            raise InvalidFile(path, entry.name, "lies beyond a link")
        seen.add(name)
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if stream is None:
            links.add(name)
            target.symlink_to(_safe_link(name, entry.linkname, path))
        else:
            _write(target, entry, stream)
    if len(seen) != told.members:
        raise InvalidFile(path, "", f"has {len(seen)} of {told.members} files: it is cut off")


def _write(target: Path, entry: tarfile.TarInfo, stream: IO[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(target, flags, 0o755 if entry.mode & 0o111 else 0o644), "wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)
    os.utime(target, (entry.mtime, entry.mtime))


def _safe(name: str, path: Path) -> str:
    parts = name.split("/")
    if name.startswith("/") or any(part in {"", ".", ".."} for part in parts) or "\0" in name:
        raise InvalidFile(path, name, "is a name that leads out of the environment, or none")
    return name


def _safe_link(name: str, target: str, path: Path) -> str:
    """A link may only climb at its begin: `a/..` could climb out through another link."""
    parts = target.split("/")
    climbs = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    depth = name.count("/")
    if (
        target.startswith("/")
        or not target
        or ".." in parts[climbs:]
        or climbs > depth
        or "\0" in target
    ):
        raise InvalidFile(path, name, f"is a link that leads out of the environment, to {target}")
    return target


def _parents(name: str) -> Iterator[str]:
    while name := posixpath.dirname(name):
        yield name
