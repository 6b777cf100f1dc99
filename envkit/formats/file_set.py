"""Several files of one directory, written all or not at all, as far as a file system allows.

Every content is first written next to its target and synced to disk; only then are the files
renamed, one after another, which needs no space and takes microseconds. If a rename fails all the
same, the earlier ones are undone.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, TypeAlias

from envkit.errors import InvalidInput

Content: TypeAlias = str | bytes | Path
"""Text, written as UTF-8; bytes; or a file that is copied."""

_LEFT_BEHIND = re.compile(r"\..+\.[0-9a-f]{12}\.(tmp|old)")


def write_files(directory: Path, files: Mapping[str, Content | None]) -> None:
    """Write each content to the file of that name in the directory; None removes the file.

    A name may lead into a folder of the directory (`wheels/a.whl`); folders are made as needed, and
    one that a removal leaves empty is removed. An existing file keeps its permissions. A symbolic
    link is replaced by a file; its target stays as it is, because other models may share that.

    Writers of one directory wait for each other. What a killed one left behind is removed.

    Raises `InvalidInput`, and has then changed nothing, when the directory is missing or cannot be
    written to, a name belongs to a folder or is behind a symbolic link, or the disk is full;
    `ValueError` for a name that leads out.
    """
    for name in files:
        _check_name(name)
    _check_places(directory, files)
    try:
        with _locked(directory) as is_locked:
            if is_locked:
                _sweep((directory, *_folders_of(directory, files)))
            _write(directory, files)
    except OSError as error:
        reason = error.strerror or error
        raise InvalidInput(
            f"Cannot write the files of {directory}: {reason}. None of them was changed."
        ) from error


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    if str(path) != name or path.is_absolute() or ".." in path.parts or name in ("", "."):
        raise ValueError(f"{name!r} is not a file name")


def _check_places(directory: Path, files: Mapping[str, object]) -> None:
    if not directory.is_dir():
        raise InvalidInput(f"Cannot write into {directory}: it is not a directory.")
    for folder in _folders_of(directory, files):
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise InvalidInput(
                f"Cannot write into {folder}: it is not a folder of its own. Nothing was changed."
            )
    for name in files:
        target = directory / name
        if target.is_dir() and not target.is_symlink():
            raise InvalidInput(
                f"Cannot write {target}: a folder has that name. Nothing was changed."
            )


@contextmanager
def _locked(directory: Path) -> Iterator[bool]:
    """Make other writers of the directory wait; yields False where the system cannot."""
    try:
        import fcntl

        descriptor = os.open(directory, os.O_RDONLY)
    except (ImportError, PermissionError):
        # another system; a folder that may be written to, but not read
        yield False
        return
    is_locked = True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        # a file system without locks
        is_locked = False
    try:
        yield is_locked
    finally:
        os.close(descriptor)


def _sweep(folders: Iterable[Path]) -> None:
    """Remove what killed writers left: files that were not renamed yet, and second names."""
    for folder in folders:
        with suppress(OSError):
            for file in folder.iterdir():
                if _LEFT_BEHIND.fullmatch(file.name) and not file.is_dir():
                    file.unlink(missing_ok=True)


def _folders_of(directory: Path, names: Iterable[str]) -> list[Path]:
    """The folders below the directory that the names lead into, outer ones first."""
    parents = {parent for name in names for parent in PurePosixPath(name).parents}
    parents.discard(PurePosixPath("."))
    return [directory / parent for parent in sorted(parents)]


def _write(directory: Path, files: Mapping[str, Content | None]) -> None:
    new_files = {name: content for name, content in files.items() if content is not None}
    new_folders = [folder for folder in _folders_of(directory, new_files) if not folder.exists()]
    staged: dict[str, Path] = {}
    is_written = False
    try:
        for folder in new_folders:
            folder.mkdir()
        for name, content in new_files.items():
            staged[name] = _stage(directory / name, content)
        _publish(directory, files, staged)
        is_written = True
    finally:
        for temporary in staged.values():
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        if is_written:
            _remove_empty(_folders_of(directory, files))
        else:
            _remove_empty(new_folders)


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in sorted(folders, reverse=True):
        # it is not empty, or was never made
        with suppress(OSError):
            folder.rmdir()


def _stage(target: Path, content: Content) -> Path:
    """Write the content next to the target and sync it; nothing is left when that fails."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            _fill(stream, content)
            stream.flush()
            os.fsync(stream.fileno())
        if target.is_file() and not target.is_symlink():
            temporary.chmod(target.stat().st_mode & 0o7777)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _fill(stream: IO[bytes], content: Content) -> None:
    if isinstance(content, Path):
        # few captures copy files
        import shutil

        with content.open("rb") as source:
            shutil.copyfileobj(source, stream)
    elif isinstance(content, str):
        stream.write(content.encode("utf-8"))
    else:
        stream.write(content)


def _publish(directory: Path, files: Mapping[str, object], staged: Mapping[str, Path]) -> None:
    """Rename the staged files and remove the others, or leave everything as it was."""
    second_names: dict[str, Path | None] = {}
    try:
        for name in files:
            second_names[name] = _set_aside(directory / name)
            if name in staged:
                staged[name].replace(directory / name)
            else:
                (directory / name).unlink(missing_ok=True)
    except BaseException:
        for name, second in second_names.items():
            _restore(directory / name, second)
        raise
    finally:
        for second in second_names.values():
            if second is not None:
                with suppress(OSError):
                    second.unlink(missing_ok=True)
    for folder in (directory, *_folders_of(directory, staged)):
        _sync(folder)


def _set_aside(target: Path) -> Path | None:
    """Give the target a second name, so that it can be restored; None when it does not exist."""
    if not os.path.lexists(target):
        return None
    second = target.with_name(f".{target.name}.{secrets.token_hex(6)}.old")
    if target.is_symlink():
        second.symlink_to(target.readlink())
        return second
    try:
        second.hardlink_to(target)
    except OSError:
        # a file system without hard links
        import shutil

        shutil.copy2(target, second)
    return second


def _restore(target: Path, second: Path | None) -> None:
    with suppress(OSError):
        if second is None:
            target.unlink(missing_ok=True)
        else:
            second.replace(target)


def _sync(directory: Path) -> None:
    """Make the renames durable, where the file system can."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
