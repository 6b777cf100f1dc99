"""The cache of remote models, in the environment store.

    <store>/models/<place>/<version>/<name>/   files of a model: those of a version that were needed
    <store>/models/<place>/.lock               locked while they are fetched
    <store>/models/<place>/.part-…/            files that are being fetched

`place` stands for the URI, `version` for the names, sizes and tags of the files. A version is
renamed into place once it is complete. A process that uses a version shares a lock on its folder
until the process ends, so that it is not removed meanwhile.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from envkit.errors import InvalidInput
from envkit.models import store_folder

_LOCK = ".lock"
_PART = ".part-"

Fill = Callable[[Path], None]


def find(place: str, version: str, name: str) -> Path | None:
    """Return the folder of a version, which is then not removed; None if it is not cached."""
    folder = _root() / place / version
    if _hold(folder):
        return folder / name
    return None


def add(place: str, version: str | None, name: str, fill: Fill) -> Path:
    """Return the folder of a version; if it is not cached, `fill` writes it into an empty folder.

    version: None if only the content tells it. Other processes that add to the same place wait.
    Raises what `fill` raises, and `InvalidInput` if the store cannot be written to; then nothing
    remains.
    """
    home = _root() / place
    with _explained_errors(home), _locked(home):
        _remove_parts(home)
        if version is not None and (folder := find(place, version, name)):
            return folder
        part = Path(tempfile.mkdtemp(prefix=_PART, dir=home))
        try:
            (part / name).mkdir()
            fill(part / name)
            part.chmod(0o755)
            target = home / (version or _version_of_content(part / name))
            if not target.exists():
                part.rename(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        _hold(target)
        return target / name


def remove_unused(root: Path, *, dry_run: bool = False) -> int:
    """Remove a store's cached models that no process uses; return the bytes freed."""
    freed = 0
    for home in sorted((root / "models").glob("*")):
        for folder in sorted(home.iterdir()):
            if folder.is_dir():
                freed += _remove_version(folder, dry_run=dry_run)
        if not dry_run:
            # Something is left, or being fetched.
            with suppress(OSError):
                _remove_home(home)
    return freed


def _root() -> Path:
    """Return the folder of the cache, which need not exist. Raises `UnsafeStore`."""
    return Path(store_folder.real_path(None, os.environ)) / "models"


def _remove_parts(home: Path) -> None:
    """Remove what killed processes left."""
    for part in home.glob(f"{_PART}*"):
        shutil.rmtree(part, ignore_errors=True)


def _version_of_content(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(os.fsencode(path.relative_to(folder)) + b"\0")
        with path.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()[:16]


def _remove_version(folder: Path, *, dry_run: bool) -> int:
    """Remove a version, or a part of one, unless it is in use; return the bytes freed."""
    is_part = folder.name.startswith(_PART)
    guard = folder.parent / _LOCK if is_part else folder
    try:
        descriptor = os.open(guard, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        size = _size(folder)
        if not dry_run:
            # Renamed first, so that nobody finds half of it.
            removed = folder.with_name(f"{_PART}{folder.name}")
            folder.rename(removed)
            shutil.rmtree(removed, ignore_errors=True)
    except OSError:
        # It is in use.
        return 0
    finally:
        os.close(descriptor)
    return size


def _size(folder: Path) -> int:
    """Return the bytes of the files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _remove_home(home: Path) -> None:
    descriptor = os.open(home / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if [path.name for path in home.iterdir()] == [_LOCK]:
            (home / _LOCK).unlink()
            home.rmdir()
    finally:
        os.close(descriptor)


def _hold(folder: Path) -> bool:
    """Share a lock on a folder until this process ends; return False if it does not exist."""
    try:
        status = folder.stat()
        _descriptor(str(folder), status.st_dev, status.st_ino)
        # It may have been removed, or replaced, before it was locked.
        return os.path.samestat(status, folder.stat())
    except (FileNotFoundError, NotADirectoryError):
        return False


@cache
def _descriptor(folder: str, device: int, inode: int) -> int:
    """Open and lock a folder, once in a process.

    Device and inode distinguish it from a later folder of the same path.
    """
    del device, inode
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    # On a file system without locks, nobody removes anything.
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    store_folder.create(home.parent.parent)
    while True:
        home.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(home / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except FileNotFoundError:
            # The folder was removed in between.
            continue
        try:
            # Without locks two processes may fetch at once; the first to finish counts.
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(descriptor, home / _LOCK):
                yield
                return
        finally:
            os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def _explained_errors(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidInput(
            f"The model cannot be stored in {error.filename or home}: "
            f"{error.strerror or error}. Choose another folder with {store_folder.VARIABLE}."
        ) from error
