"""Temporary folders that are also removed when envkit was killed before it could remove them.

Each is locked as long as its process lives (`man 2 flock`), so a folder that is not locked was left
behind: making a folder removes those first. Numbers of processes would not show this, since
containers that share a `/tmp` number processes on their own.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from envkit.errors import Missing

_PREFIX = "envkit-scratch-"


@contextmanager
def folder() -> Iterator[Path]:
    """Make a private temporary folder, a real path; it is removed at the end.

    Raises `Missing` where nothing can be written, as in a container without a `/tmp`.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        raise Missing(
            "No folder for temporary files is writable. Mount one at /tmp, or name one with TMPDIR."
        ) from None
    sweep()
    while True:
        with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name:
            lock = _lock(Path(name))
            if lock is None:
                # another process that was sweeping has removed it, or will
                continue
            try:
                yield Path(name).resolve()
            finally:
                os.close(lock)
            return


def sweep() -> None:
    """Remove the folders that killed processes of this user left.

    One look into a folder if there are none.
    """
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in [entry for entry in entries if entry.name.startswith(_PREFIX)]:
            with suppress(OSError):
                _remove_left(entry)


def _remove_left(entry: os.DirEntry[str]) -> None:
    if not entry.is_dir(follow_symlinks=False):
        return
    if entry.stat(follow_symlinks=False).st_uid != os.geteuid():
        return
    descriptor = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _locks_have_effect(Path(entry.path)):
            shutil.rmtree(entry.path, ignore_errors=True)
    finally:
        os.close(descriptor)


def _lock(path: Path) -> int | None:
    """Lock a new folder and return the descriptor that holds the lock; None if it was removed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = True
    except BlockingIOError:
        is_ours = False
    except OSError:
        # no locks on this file system: then nobody sweeps either
        is_ours = True
    if is_ours and path.exists():
        return descriptor
    os.close(descriptor)
    return None


def _locks_have_effect(path: Path) -> bool:
    """Try to lock again what is locked: on some file systems every lock succeeds."""
    second = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(second)
    return False
