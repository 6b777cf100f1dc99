"""The files of a model stay as they are while it runs.

Models write caches next to their code, and some change their own data. After a run the folder holds
again what it held before: what is new is removed, what was changed or removed is put back.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from envkit.child import scratch
from envkit.errors import CaptureFailed

LARGEST_COPY = 200_000_000
"""Bytes of all copies, where the file system has no clones. What is larger is weights, which no
model changes; one that does is refused."""
_FICLONE = 0x40049409  # `man 2 ioctl_ficlone`

State = tuple[int, int, int, int, int]


@contextmanager
def kept(places: Iterable[Path]) -> Iterator[None]:
    """Undo at the end what was changed below these files and folders.

    Raises `CaptureFailed` when a file was changed that is too large for a copy.
    """
    roots = tuple(places)
    with scratch.folder() as folder:
        before = dict(_states(roots))
        copies = _copies(before, folder)
        try:
            yield
        finally:
            _remove_new(before, roots)
            _put_back(before, copies)


def _states(roots: Iterable[Path]) -> Iterator[tuple[Path, State]]:
    """Yield files, links and folders with what tells whether they changed, folders first."""
    for root in roots:
        if not os.path.lexists(root):
            continue
        yield root, _state(root)
        if root.is_dir():
            for folder, folders, files in os.walk(root):
                for name in (*folders, *files):
                    path = Path(folder, name)
                    yield path, _state(path)


def _state(path: Path) -> State:
    """The state of a file: not its content, but the time of its last change (`man 7 inode`).

    Of a folder, whose times change with what is in it, only that it is one.
    """
    status = path.lstat()
    if path.is_dir() and not path.is_symlink():
        return (status.st_mode, 0, 0, 0, status.st_ino)
    return (
        status.st_mode,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
    )


def _copies(before: dict[Path, State], folder: Path) -> dict[Path, Path]:
    """Clone the files; where that cannot be done, copy them, small ones first."""
    copies: dict[Path, Path] = {}
    room = LARGEST_COPY
    files = [path for path in before if path.is_symlink() or path.is_file()]
    for path in sorted(files, key=lambda path: before[path][1]):
        copy = folder / str(len(copies))
        if not _clone(path, copy):
            room -= before[path][1]
            if room < 0:
                break
            shutil.copy2(path, copy, follow_symlinks=False)
        copies[path] = copy
    return copies


def _clone(path: Path, copy: Path) -> bool:
    """Make a file that shares the content until one of both changes, if the file system can."""
    if path.is_symlink():
        return False
    with path.open("rb") as source, copy.open("wb") as target:
        try:
            fcntl.ioctl(target, _FICLONE, source.fileno())
        except OSError:
            return False
    shutil.copystat(path, copy)
    return True


def _remove_new(before: dict[Path, State], roots: tuple[Path, ...]) -> None:
    for root in roots:
        if root not in before:
            _remove(root)
        if not root.is_dir() or root.lstat().st_ino != before[root][-1]:
            continue
        for folder, folders, files in os.walk(root, topdown=False):
            for name in (*files, *folders):
                path = Path(folder, name)
                if path not in before:
                    _remove(path)


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder with what is in it, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _put_back(before: dict[Path, State], copies: dict[Path, Path]) -> None:
    # Folders come before what is in them. One that the model replaced by a link is made again
    # first: nothing must be written where that link leads.
    lost: list[str] = []
    for path, state in before.items():
        if stat.S_ISDIR(state[0]):
            if path.is_symlink() or not path.is_dir():
                _remove(path)
                path.mkdir(mode=state[0] & 0o7777)
            continue
        if os.path.lexists(path) and _state(path) == state:
            continue
        if path not in copies:
            lost.append(str(path))
            continue
        # a new file takes its place, because the model may have linked the old one elsewhere
        _remove(path)
        shutil.copy2(copies[path], path, follow_symlinks=False)
    if lost:
        raise CaptureFailed(
            f"The model changed {', '.join(lost)}, which is too large to be put back. "
            "Save the model again, and let it write elsewhere."
        )
