"""Locks on files of the store, by `flock`: the system releases them when their holders end.

A lock belongs to an open file and is inherited with it: a child that gets the descriptor holds it
as long as it lives. The holder of a lock may remove its file; a process that waited for such a file
notices that and takes the new one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# errors of `flock` on a file system without locks
WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
_RETRY_SECONDS = 0.05


def exclusive(
    path: Path,
    waiting: Callable[[], None] | None = None,
    *,
    create: bool = True,
    patience: float | None = None,
) -> int | None:
    """Lock a file for this process alone; return the descriptor that holds the lock.

    With `create` the file is made when it is missing. `waiting` is called once when another process
    holds the lock, which is then waited for, `patience` seconds or as long as it takes. None when
    the lock was not free in that time, or without `waiting` at once. Raises `OSError`, one of
    `WITHOUT_LOCKS` where locks are refused or have no effect.
    """
    flags = os.O_RDWR | os.O_CLOEXEC
    if create:
        flags |= os.O_CREAT
    while True:
        descriptor = os.open(path, flags, 0o666)
        try:
            if not _lock(descriptor, waiting, patience):
                os.close(descriptor)
                return None
            if is_at(descriptor, path):
                _check_effect(path)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        # the holder before removed the file
        os.close(descriptor)


def shared(path: Path) -> int | None:
    """Lock a file together with others; None when it is gone.

    Raises `OSError` when it cannot be opened.

    Where there are no locks nothing is removed either, so the descriptor may then hold none.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        if is_at(descriptor, path):
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def is_held(path: Path) -> bool:
    """Whether some process holds a lock on a file; False where that cannot be seen."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one of this path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _lock(descriptor: int, waiting: Callable[[], None] | None, patience: float | None) -> bool:
    if _lock_at_once(descriptor):
        return True
    if waiting is None:
        return False
    waiting()
    if patience is None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    # `flock` itself has no time limit
    ends = time.monotonic() + patience
    while time.monotonic() < ends:
        if _lock_at_once(descriptor):
            return True
        time.sleep(_RETRY_SECONDS)
    return False


def _lock_at_once(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_effect(path: Path) -> None:
    """Try to lock a locked file again: on some network file systems every lock succeeds."""
    second = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        os.close(second)
    raise OSError(errno.ENOLCK, "Locks have no effect", str(path))
