"""Temporary folders that are also gone when envkit was killed before it could remove them.

Each is locked as long as its process lives (`man 2 flock`). So who finds one that is not locked
knows that it was left: making a folder removes those first. Numbers of processes would not tell
this, since containers that share a `/tmp` count for themselves.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "envkit-scratch-"


@contextmanager
def folder() -> Iterator[Path]:
    """Make a folder where temporary files belong, real path, private to this user; it is removed at the end."""
    sweep()
    while True:
        with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name:
            lock = _locked(Path(name))
            # another process that was sweeping came between: it has removed it, or will
            if lock is None:
                continue
            try:
                yield Path(name).resolve()
            finally:
                os.close(lock)
            return


def sweep() -> None:
    """Remove the folders that killed processes of this user left. One look into a folder when there are none."""
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in [each for each in entries if each.name.startswith(_PREFIX)]:
            with suppress(OSError):
                _remove_left(entry)


def _remove_left(entry: os.DirEntry[str]) -> None:
    if (
        not entry.is_dir(follow_symlinks=False)
        or entry.stat(follow_symlinks=False).st_uid != os.geteuid()
    ):
        return
    descriptor = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _locks_have_effect(Path(entry.path)):
            shutil.rmtree(entry.path, ignore_errors=True)
    finally:
        os.close(descriptor)


def _locked(path: Path) -> int | None:
    """Lock a new folder and give the descriptor that holds the lock; None when it was taken away meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        taken = False
    except BlockingIOError:
        taken = True
    except OSError:  # there are no locks here: then nobody sweeps either
        taken = False
    if not taken and path.exists():
        return descriptor
    os.close(descriptor)
    return None


def _locks_have_effect(path: Path) -> bool:
    """Try to lock again what is locked: some file systems agree to everything."""
    second = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(second)
    return False
