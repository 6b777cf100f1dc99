"""Several files of one directory, written all or not at all, as far as a file system allows.

Every content is first written beside its target and synced to disk; only then are the files
renamed, one after another, which needs no space and takes microseconds. Should a rename fail all
the same, the earlier ones are undone.
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


def write_files(directory: Path, files: Mapping[str, Content | None]) -> None:
    """Write each content to the file of that name in the directory; None removes the file.

    A name may lead into a folder of the directory (`wheels/a.whl`); folders are made as needed, and
    one that a removal leaves empty is removed. A file that is there keeps its permissions. A
    symbolic link is replaced by a file; what it points to stays as it is, because that may be
    shared with other models.

    Writers of one directory wait for each other. What one that was killed left behind is removed.

    Raises `InvalidInput`, and has then changed nothing, when the directory is missing or cannot be
    written to, a name belongs to a folder or lies behind a symbolic link, or the disk is full;
    `ValueError` for a name that leads out.
    """
    for name in files:
        path = PurePosixPath(name)
        if str(path) != name or path.is_absolute() or ".." in path.parts or name in ("", "."):
            raise ValueError(f"{name!r} is not a file name")
    _check(directory, files)
    try:
        with _alone(directory) as alone:
            if alone:
                _sweep((directory, *_folders_of(directory, files)))
            _write(directory, files)
    except OSError as error:
        raise InvalidInput(
            f"Cannot write the files of {directory}: {error.strerror or error}. None of them was changed."
        ) from error


def _write(directory: Path, files: Mapping[str, Content | None]) -> None:
    staged: dict[str, Path] = {}
    made: list[Path] = []
    written = False
    try:
        made += _make_folders(directory, files)
        for name, content in files.items():
            if content is not None:
                staged[name] = _stage(directory / name, content)
        _publish(directory, files, staged)
        written = True
    finally:
        for temporary in staged.values():
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        _remove_empty(_folders_of(directory, files) if written else made)


@contextmanager
def _alone(directory: Path) -> Iterator[bool]:
    """Keep other writers of the directory waiting; gives False where the system cannot."""
    try:
        import fcntl

        descriptor = os.open(directory, os.O_RDONLY)
    except (
        ImportError,
        PermissionError,
    ):  # another system; a folder that may be written to, not read
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:  # a file system without locks
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


_LEFT_BEHIND = re.compile(r"\..+\.[0-9a-f]{12}\.(tmp|old)")


def _sweep(folders: Iterable[Path]) -> None:
    """Remove what killed writers left, while no other is at work: files that were not renamed yet, and second names."""
    for folder in folders:
        with suppress(OSError):
            for each in folder.iterdir():
                if _LEFT_BEHIND.fullmatch(each.name) and not each.is_dir():
                    each.unlink(missing_ok=True)


def _folders_of(directory: Path, names: Iterable[str]) -> list[Path]:
    """The folders below the directory that the names lead into, outer ones first."""
    parents = {parent for name in names for parent in PurePosixPath(name).parents} - {
        PurePosixPath(".")
    }
    return [directory / parent for parent in sorted(parents)]


def _make_folders(directory: Path, files: Mapping[str, object]) -> Iterator[Path]:
    """Make the folders that are missing and yield each, for the case that it must go again."""
    for folder in _folders_of(
        directory, (name for name, content in files.items() if content is not None)
    ):
        if not folder.exists():
            folder.mkdir()
            yield folder


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in sorted(folders, reverse=True):
        with suppress(OSError):  # not empty, or never made
            folder.rmdir()


def _check(directory: Path, files: Mapping[str, object]) -> None:
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


def _stage(target: Path, content: Content) -> Path:
    """Write the content beside the target, on disk when this returns; nothing is left when it fails."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    descriptor = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
    )
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
        import shutil  # few captures copy files

        with content.open("rb") as source:
            shutil.copyfileobj(source, stream)
    else:
        stream.write(content.encode("utf-8") if isinstance(content, str) else content)


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
    for folder in (directory, *_folders_of(directory, staged)):
        _sync(folder)


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
