"""Several files of one directory, written all or not at all, as far as a file system allows.

Every content is first written beside its target and synced to disk; only then are the files renamed, one after
another, which needs no space and takes microseconds. Should a rename fail all the same, the earlier ones are undone.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from envkit.errors import InvalidInput


def write_files(directory: Path, files: Mapping[str, str | bytes | None]) -> None:
    """Write each content (text as UTF-8) to the file of that name in the directory; None removes the file.

    A file that is there keeps its permissions. A symbolic link is replaced by a file; what it points to stays as it
    is, because that may be shared with other models.

    Raises `InvalidInput`, and has then changed nothing, when the directory is missing or cannot be written to, a name
    belongs to a folder, or the disk is full; `ValueError` for a name that is a path.
    """
    for name in files:
        if name != Path(name).name or name in ("", ".", ".."):
            raise ValueError(f"{name!r} is not a file name")
    _check(directory, files)
    staged: dict[str, Path] = {}
    try:
        for name, content in files.items():
            if content is not None:
                staged[name] = _stage(directory / name, content)
        _publish(directory, files, staged)
    except OSError as error:
        raise InvalidInput(
            f"Cannot write the files of {directory}: {error.strerror or error}. None of them was changed."
        ) from error
    finally:
        for temporary in staged.values():
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _check(directory: Path, files: Mapping[str, object]) -> None:
    if not directory.is_dir():
        raise InvalidInput(f"Cannot write into {directory}: it is not a directory.")
    for name in files:
        target = directory / name
        if target.is_dir() and not target.is_symlink():
            raise InvalidInput(f"Cannot write {target}: a folder has that name. Nothing was changed.")


def _stage(target: Path, content: str | bytes) -> Path:
    """Write the content beside the target, on disk when this returns; nothing is left when it fails."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content.encode("utf-8") if isinstance(content, str) else content)
            stream.flush()
            os.fsync(stream.fileno())
        if target.is_file() and not target.is_symlink():
            temporary.chmod(target.stat().st_mode & 0o7777)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _publish(directory: Path, files: Mapping[str, object], staged: Mapping[str, Path]) -> None:
    before: dict[str, Path | None] = {}
    try:
        for name in files:
            before[name] = _set_aside(directory / name)
            if name in staged:
                staged[name].replace(directory / name)
            else:
                (directory / name).unlink(missing_ok=True)
    except BaseException:
        for name, old in before.items():
            _restore(directory / name, old)
        raise
    finally:
        for old in before.values():
            if old is not None:
                with suppress(OSError):
                    old.unlink(missing_ok=True)
    _sync(directory)


def _set_aside(target: Path) -> Path | None:
    """Give a second name to what the target is now, so that it can come back; None when there is nothing."""
    if not os.path.lexists(target):
        return None
    second = target.with_name(f".{target.name}.{secrets.token_hex(6)}.old")
    if target.is_symlink():
        second.symlink_to(target.readlink())
        return second
    try:
        second.hardlink_to(target)
    except OSError:  # a file system without hard links
        import shutil

        shutil.copy2(target, second)
    return second


def _restore(target: Path, old: Path | None) -> None:
    with suppress(OSError):
        if old is None:
            target.unlink(missing_ok=True)
        else:
            old.replace(target)


def _sync(directory: Path) -> None:
    """Make the renames last; where a directory cannot be synced, they last as long as the system keeps running."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
