"""The cache of models that lie elsewhere, in the environment store.

    <root>/models/<place>/<version>/<name>/   files of a model, all of a version that were asked for
    <root>/models/<place>/.lock               held while they are fetched
    <root>/models/<place>/.part-…/            what is being fetched

`place` is made of the URI, `version` of the names, sizes and tags of the files. A version is
renamed into place when all of it is there. Who uses one shares a lock on its folder until its
process ends, which keeps it from being removed.
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

VARIABLE = "ENVKIT_HOME"  # of the environment store
_LOCK = ".lock"
_PART = ".part-"

Fill = Callable[[Path], None]


def folder_of_all() -> Path:
    """Give the folder of the cache; it need not exist."""
    if named := os.environ.get(VARIABLE):
        return Path(os.path.realpath(named)) / "models"
    import platformdirs  # 5 ms

    return Path(os.path.realpath(platformdirs.user_cache_path("envkit"))) / "models"


def kept(place: str, version: str, name: str) -> Path | None:
    """Give the folder of a version that is there, and keep it from being removed."""
    folder = folder_of_all() / place / version
    if _hold(folder):
        return folder / name
    return None


def put(place: str, version: str | None, name: str, fill: Fill) -> Path:
    """Give the folder of a version; when it is not there, `fill` is called with an empty folder that becomes it.

    version: None when nothing but the content tells it. Others that ask for the same place wait
    meanwhile. Raises what `fill` raises, `InvalidInput` when the store cannot be written to; then
    nothing remains.
    """
    home = folder_of_all() / place
    with _told(home), _locked(home):
        for left in home.glob(f"{_PART}*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        if version is not None and (there := kept(place, version, name)):
            return there
        part = Path(tempfile.mkdtemp(prefix=_PART, dir=home))
        try:
            (part / name).mkdir()
            fill(part / name)
            part.chmod(0o755)
            chosen = version or _of_content(part / name)
            if not (home / chosen).exists():
                part.rename(home / chosen)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        _hold(home / chosen)
        return home / chosen / name


def _of_content(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        with path.open("rb") as stream:
            total.update(os.fsencode(path.relative_to(folder)) + b"\0")
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()[:16]


def empty(root: Path, *, dry_run: bool = False) -> int:
    """Remove the models of a store's cache that no process uses; give the bytes that they took."""
    freed = 0
    for home in sorted((root / "models").glob("*")):
        freed += sum(
            _removed(each, dry_run=dry_run) for each in sorted(home.iterdir()) if each.is_dir()
        )
        if not dry_run:
            with suppress(OSError):  # something is left, or being fetched
                _remove_home(home)
    return freed


def _removed(folder: Path, *, dry_run: bool) -> int:
    if folder.name.startswith(_PART):
        guard = folder.parent / _LOCK
    else:
        guard = folder
    try:
        descriptor = os.open(guard, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        size = sum(each.lstat().st_size for each in folder.rglob("*") if each.is_file())
        if not dry_run:
            gone = folder.with_name(f"{_PART}{folder.name}")
            folder.rename(gone)  # at once, so that nobody finds half of it
            shutil.rmtree(gone, ignore_errors=True)
    except OSError:  # it is used
        return 0
    finally:
        os.close(descriptor)
    return size


def _remove_home(home: Path) -> None:
    descriptor = os.open(home / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if [each.name for each in home.iterdir()] == [_LOCK]:
            (home / _LOCK).unlink()
            home.rmdir()
    finally:
        os.close(descriptor)


def _hold(folder: Path) -> bool:
    """Share a lock on a folder as long as this process lives; False when it is not there."""
    try:
        status = folder.stat()
        _descriptor(str(folder), status.st_dev, status.st_ino)
        return os.path.samestat(status, folder.stat())
    except (FileNotFoundError, NotADirectoryError):
        return False


@cache
def _descriptor(folder: str, device: int, inode: int) -> int:
    """Open and lock each version once in a process; device and inode tell a folder from one that came after it."""
    del device, inode
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    with suppress(OSError):  # where there are no locks, nobody removes anything
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    while True:
        home.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(home / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except FileNotFoundError:  # it was removed in between
            continue
        try:
            # without locks two may fetch at once; the first to be done counts
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
def _told(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidInput(
            f"The model cannot be put into {error.filename or home}: {error.strerror or error}. "
            f"Choose another folder: {VARIABLE}."
        ) from error
