"""Locks on files of the store: by `flock`, so that the system releases them when their last holder ends.

A lock belongs to an open file and is inherited with it: a child that was given the descriptor holds
it as long as it lives. Lock files may be removed by who holds them; who waited for such a file
notices and takes the new one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# what `flock` says where there are none
WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
_ASKED_AGAIN_SECONDS = 0.05


def exclusive(
    path: Path,
    waiting: Callable[[], None] | None = None,
    *,
    create: bool = True,
    patience: float | None = None,
) -> int | None:
    """Lock a file for this process alone; give the descriptor that holds the lock.

    With `create` the file is made when it is not there. `waiting` is called once when another
    process holds it, which is then waited for, `patience` seconds or as long as it takes. The
    answer is None when it was not had in that time, or without `waiting` at once. Raises `OSError`,
    one of `WITHOUT_LOCKS` where locks are refused or have no effect.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o666)
        try:
            if not _take(descriptor, waiting, patience):
                os.close(descriptor)
                return None
            if is_at(descriptor, path):
                _prove(path)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # it was removed by who held it before


def shared(path: Path) -> int | None:
    """Lock a file together with others; None when it is gone. Raises `OSError` when it cannot be opened.

    Where there are no locks nothing is removed either: the descriptor then stands for nothing.
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


def _take(descriptor: int, waiting: Callable[[], None] | None, patience: float | None) -> bool:
    if _taken_at_once(descriptor):
        return True
    if waiting is None:
        return False
    waiting()
    if patience is None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    ends = time.monotonic() + patience  # `flock` itself knows no time limit
    while time.monotonic() < ends:
        if _taken_at_once(descriptor):
            return True
        time.sleep(_ASKED_AGAIN_SECONDS)
    return False


def _taken_at_once(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _prove(path: Path) -> None:
    """Try to lock a file again that is locked: some network file systems agree to everything."""
    second = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        os.close(second)
    raise OSError(errno.ENOLCK, "Locks have no effect", str(path))
