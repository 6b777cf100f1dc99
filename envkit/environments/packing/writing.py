"""Write an archive: the same members give the same bytes."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from envkit.child.progress import Advance, State
from envkit.child.variables import Variables
from envkit.environments.packing import compression
from envkit.environments.packing.members import Member
from envkit.errors import InvalidArgument

_SHOWN_EVERY = 50  # members
_EPOCH = 315532800  # 1980, the first year that every kind of archive can hold


def write(path: Path, members: Sequence[Member], environ: Variables, advance: Advance) -> None:
    """Write members in the given order, whole or not at all.

    Their time is SOURCE_DATE_EPOCH, else 1980. Raises `InvalidArgument` when the archive cannot be
    written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    time = source_date(environ)
    try:
        with compression.writing(temporary, path.name) as stream, _tar(stream) as archive:
            _add_all(archive, members, time, advance)
        temporary.replace(path)
    except OSError as error:
        raise InvalidArgument(
            f"The archive cannot be written to {path}: {error.strerror or error}."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _tar(stream: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT)


def source_date(environ: Variables) -> int:
    """Return the time of files in archives: SOURCE_DATE_EPOCH, else 1980.

    Raises `InvalidArgument`.
    """
    text = environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return _EPOCH
    if not text.isascii() or not text.isdigit() or len(text) > 11:
        raise InvalidArgument(f"SOURCE_DATE_EPOCH is {text!r}; it must be a number of seconds.")
    return int(text)


def _add_all(
    archive: tarfile.TarFile, members: Sequence[Member], time: int, advance: Advance
) -> None:
    total = sum(member.size for member in members)
    done = 0
    for number, member in enumerate(members):
        _add(archive, member, time)
        done += member.size
        if number % _SHOWN_EVERY == 0:
            advance(State(done=done, total=total))


def _add(archive: tarfile.TarFile, member: Member, time: int) -> None:
    entry = tarfile.TarInfo(member.name)
    entry.mtime = time
    entry.mode = 0o755 if member.executable or member.link else 0o644
    if member.link:
        entry.type = tarfile.SYMTYPE
        entry.linkname = member.link
        archive.addfile(entry)
        return
    with _open(member) as stream:
        entry.size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        archive.addfile(entry, stream)


def _open(member: Member) -> IO[bytes]:
    if isinstance(member.content, Path):
        return member.content.open("rb")
    return io.BytesIO(member.content or b"")
