"""Take an archive apart into an empty folder, trusting nothing in it.

Refused are names and links that lead out of the folder, anything written through a link, hard
links, devices, names that occur twice, and archives that hold far more than their size suggests.
(`tarfile`'s own filter accepts names that begin with `/` and hard links, and long chains of links
have circumvented it.)
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
from envkit.environments.packing.description import ArchiveDescription
from envkit.errors import InvalidFile, InvalidInput

# packed environments seldom shrink to less than a tenth; a bomb shrinks to a thousandth
_MOST_TIMES = 200
_ALWAYS_ALLOWED = 200_000_000
_LONGEST_DESCRIPTION = 50_000_000
_MOST_MEMBERS = 2_000_000


class _Bomb(Exception):
    pass


class _LimitedStream:
    """A stream that gives no more than so many bytes."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream, self._left = stream, limit

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise _Bomb
        return content


Entries = Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]


@contextmanager
def opened(path: Path) -> Iterator[tuple[ArchiveDescription, Entries]]:
    """Open an archive: yield its description and then its members, each with its content.

    Raises `InvalidInput` when there is none, `InvalidFile` for one that is damaged, hostile or
    something else.
    """
    if path.is_dir():
        raise InvalidInput(f"No archive at {path}: that is a folder.")
    if not path.is_file():
        raise InvalidInput(f"No archive at {path}: there is no such file.")
    limit = _MOST_TIMES * path.stat().st_size + _ALWAYS_ALLOWED
    try:
        with compression.reading(path) as stream, _tar(_LimitedStream(stream, limit)) as archive:
            yield _read_description(archive, path), _members(archive, path)
    except PermissionError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from None
    except _Bomb:
        raise InvalidFile(
            path, "", "holds far more than an archive of its size does: it is not unpacked"
        ) from None
    except compression.damage() as error:
        raise InvalidFile(
            path, "", f"is not an archive of an environment, or is damaged ({error})"
        ) from error


def _tar(stream: _LimitedStream) -> tarfile.TarFile:
    return tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|")


def _next(archive: tarfile.TarFile, path: Path) -> tarfile.TarInfo | None:
    try:
        return archive.next()
    except ValueError as error:
        # a number in a header is malformed
        raise InvalidFile(path, "", f"is damaged ({error})") from error


def _read_description(archive: tarfile.TarFile, path: Path) -> ArchiveDescription:
    first = _next(archive, path)
    if first is not None and first.isreg():
        stream = archive.extractfile(first)
        is_ours = first.name == description.NAME and first.size <= _LONGEST_DESCRIPTION
        if stream is not None and is_ours:
            return description.loads(stream.read(), path)
    raise InvalidFile(
        path, "", "was not made by `envkit pack`", f"It does not begin with {description.NAME}."
    )


def _members(archive: tarfile.TarFile, path: Path) -> Entries:
    while (entry := _next(archive, path)) is not None:
        # else it keeps all members in memory
        archive.members.clear()  # type: ignore[attr-defined]
        if entry.isreg():
            yield entry, archive.extractfile(entry)
        elif entry.issym():
            yield entry, None
        else:
            raise InvalidFile(path, entry.name, "is neither a file nor a symbolic link")


def extract(path: Path, into: Path, expected: ArchiveDescription, members: Entries) -> None:
    """Write the members of an archive into a folder that exists and is empty.

    Raises `InvalidFile` for what is hostile or missing, `OSError` when it cannot be written; what
    was written until then stays, for the caller to remove.
    """
    links: set[str] = set()
    seen: set[str] = set()
    for entry, stream in members:
        name = _safe_name(entry.name, path)
        if name in seen:
            raise InvalidFile(path, entry.name, "occurs twice")
        if len(seen) >= _MOST_MEMBERS:
            raise InvalidFile(path, entry.name, "is one too many")
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
    if len(seen) != expected.members:
        raise InvalidFile(path, "", f"has {len(seen)} of {expected.members} files: it is cut off")


def _write(target: Path, entry: tarfile.TarInfo, stream: IO[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    mode = 0o755 if entry.mode & 0o111 else 0o644
    with os.fdopen(os.open(target, flags, mode), "wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)
    os.utime(target, (entry.mtime, entry.mtime))


def _safe_name(name: str, path: Path) -> str:
    parts = name.split("/")
    if name.startswith("/") or any(part in {"", ".", ".."} for part in parts) or "\0" in name:
        raise InvalidFile(path, name, "is a name that leads out of the environment, or is invalid")
    return name


def _safe_link(name: str, target: str, path: Path) -> str:
    """Check a link. It may climb only at its begin: `a/..` could climb out through another link."""
    parts = target.split("/")
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    depth = name.count("/")
    is_safe = target and not target.startswith("/") and "\0" not in target
    if not is_safe or climbs > depth or ".." in parts[climbs:]:
        raise InvalidFile(path, name, f"is a link that leads out of the environment, to {target}")
    return target


def _parents(name: str) -> Iterator[str]:
    parent = posixpath.dirname(name)
    while parent:
        yield parent
        parent = posixpath.dirname(parent)
