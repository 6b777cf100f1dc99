"""The environment store: one folder of built environments, shared by all models and processes of a user.

    <root>/environments/<manager>-<key>/   an environment; ready when it holds a fitting marker, else rubbish
    <root>/locks/<manager>-<key>.lock      held while that environment is built
    <root>/cache/<manager>/                the installers' download caches, private to the store
    <root>/interpreters.json               what interpreters are (see `interpreters`)

An environment is built where it stays, since a virtual environment cannot be moved; that it is complete is told
by its marker alone, which is written last. Whatever has no fitting marker is removed and built anew, never
repaired. The lock is an open file that installers inherit: when envkit is killed and its installer lives on,
the lock is held until that has ended too.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.environments import records
from envkit.environments.interpreters import Interpreter
from envkit.errors import BuildFailed, InvalidArgument

VARIABLE = "ENVKIT_HOME"
MARKER = ".envkit-ready.json"
_KEY_LENGTH = 24  # of 64 hexadecimal digits in folder names; the marker holds all

Fill = Callable[[Path, int], None]
Report = Callable[[str], None]


def root_from(given: Path | None, environ: Mapping[str, str]) -> Path:
    """Give the store's real path: the argument, else ENVKIT_HOME, else the user's cache folder.

    Raises `InvalidArgument` for a path that virtual environments or installers cannot live with.
    """
    if given is None and not environ.get(VARIABLE):
        import platformdirs  # 5 ms

        given = platformdirs.user_cache_path("envkit")
    root = os.path.realpath(given if given is not None else environ[VARIABLE])
    try:
        root.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidArgument(
            f"The environment store {root!r} is not a UTF-8 path. Choose another: {VARIABLE}."
        ) from None
    if os.pathsep in root or not root.isprintable():
        raise InvalidArgument(
            f"The environment store {root!r} has a '{os.pathsep}' or a control character in its path, which "
            f"virtual environments cannot have. Choose another: {VARIABLE}."
        )
    return Path(root)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """The environment is there."""

    place: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class NotReady:
    """There is nothing to use; `why` is empty when there is nothing at all."""

    place: Path
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """A store at a real path (see `root_from`); nothing need exist."""

    root: Path

    @property
    def memory(self) -> Path:
        """The file that remembers interpreters."""
        return self.root / "interpreters.json"

    def cache(self, manager: str) -> Path:
        """The download cache of an installer."""
        return self.root / "cache" / manager

    def look(self, manager: str, key: str) -> Ready | NotReady:
        """Say whether an environment is ready, with three system calls and without a lock."""
        place = self._place(manager, key)
        try:
            marker = json.loads((place / MARKER).read_bytes())
        except FileNotFoundError:
            return NotReady(place=place, why="its build did not end" if place.exists() else "")
        except (OSError, ValueError, RecursionError):
            return NotReady(place=place, why="its marker is damaged")
        why = _why_unfit(marker, place, key)
        return NotReady(place=place, why=why) if why else Ready(place=place)

    def build(
        self, manager: str, key: str, interpreter: Interpreter, fill: Fill, report: Report
    ) -> tuple[Path, bool, str]:
        """Build an environment, unless another process does so first.

        Gives its path, whether it was built here, and why what was there before could not be used, or "".
        `fill` makes the environment at the path it gets, which does not exist; what it starts must inherit the
        descriptor it gets. When it raises, nothing of the environment remains. Raises `BuildFailed` when the
        store cannot be written to or what was installed does not fit its records.
        """
        with _told_as_build_failure(self.root), self._locked(manager, key, report) as lock:
            found = self.look(manager, key)
            if isinstance(found, Ready):
                return found.place, False, ""
            place = found.place
            try:
                _remove(place)
                place.parent.mkdir(parents=True, exist_ok=True)
                fill(place, lock)
                _check(place)
                _mark(place, key, interpreter)
            except BaseException:
                with suppress(OSError):
                    _remove(place)
                raise
        return place, True, found.why

    def _place(self, manager: str, key: str) -> Path:
        return self.root / "environments" / f"{manager}-{key[:_KEY_LENGTH]}"

    @contextmanager
    def _locked(self, manager: str, key: str, report: Report) -> Iterator[int]:
        """Hold the lock of a key; it is released by closing: unlocking would release an orphan's too."""
        path = self.root / "locks" / f"{manager}-{key[:_KEY_LENGTH]}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                report(f"Waiting for another process that builds this environment ({path})")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


def _why_unfit(marker: Any, place: Path, key: str) -> str:
    try:
        interpreter = marker["interpreter"]
        if marker["key"] != key:
            return "its marker belongs to another environment"
        if marker["place"] != str(place):
            return f"it was moved here from {marker['place']}"
        size, changed, path = interpreter["size"], interpreter["mtime_ns"], interpreter["path"]
        status = os.stat(place / "bin" / "python")  # noqa: PTH116 - follows the link to the interpreter
    except (KeyError, TypeError):
        return "its marker is damaged"
    except OSError:
        return "its interpreter is gone"
    if (status.st_size, status.st_mtime_ns) != (size, changed):
        return f"its interpreter {path} has changed"
    return ""


def _check(place: Path) -> None:
    found = list(records.problems(place))
    if found:
        shown = "\n".join(found[:5])
        raise BuildFailed(
            f"build the environment {place}: {len(found)} installed files do not fit their records", shown
        )


def _mark(place: Path, key: str, interpreter: Interpreter) -> None:
    """Write the marker onto the disk, then under its name; the interpreter is as the environment sees it."""
    status = (place / "bin" / "python").stat()
    facts = {
        "key": key,
        "place": str(place),
        "interpreter": {
            "path": str(interpreter.executable),
            "version": interpreter.version,
            "size": status.st_size,
            "mtime_ns": status.st_mtime_ns,
        },
    }
    temporary = place / f"{MARKER}.new"
    with temporary.open("w", encoding="utf-8") as stream:
        json.dump(facts, stream)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(place / MARKER)


def _remove(place: Path) -> None:
    """Remove an environment, its marker first: what is left when this is interrupted is no environment."""
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.exists():
        (place / MARKER).unlink(missing_ok=True)
        shutil.rmtree(place)


@contextmanager
def _told_as_build_failure(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
            what = f"build an environment in {root}, which cannot be written to"
        elif error.errno in {errno.ENOSPC, errno.EDQUOT}:
            what = f"build an environment in {root}: no space left there"
        else:
            what = f"build an environment in {root}"
        raise BuildFailed(
            what, f"{error.strerror}: {error.filename or root}\nChoose another folder: {VARIABLE}."
        ) from error
