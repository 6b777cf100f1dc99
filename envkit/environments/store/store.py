"""The environment store: one folder of built environments for all models of a user.

    <root>/environments/<manager>-<key>/   an environment; ready when it holds a valid marker
    <root>/locks/<manager>-<key>.lock      held while that environment is built or removed
    <root>/uses/<manager>-<key>/           which models used it, and when (see `uses`)
    <root>/cache/<manager>/                the installers' download caches, private to the store
    <root>/interpreters.json               what interpreters are (see `interpreters`)

An environment is built where it stays, since a virtual environment cannot be moved. Only its
marker, which is written last, says that it is complete. An environment without a valid marker, or
with other files than when it was marked, is removed and rebuilt, never repaired. The lock is an
open file that installers inherit: when envkit is killed and its installer lives on, the lock is
held until that has ended too. A program that runs in an environment shares a lock on its marker,
which keeps it from being removed or rebuilt. The next process removes what a killed one left.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from envkit.child.progress import Reporter
from envkit.child.variables import Variables
from envkit.environments.store import (
    file_locks,
    location,
    manifest,
    ready_marker,
    removal,
    uses,
)
from envkit.errors import BuildFailed
from envkit.interpreters.interpreter import Interpreter
from envkit.models import store_folder

MARKER = ready_marker.NAME
_KEY_LENGTH = 24  # of 64 hexadecimal digits in folder names; the marker holds all
_LOCK = ".lock"
_NOT_WRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM}
_FULL = {errno.ENOSPC, errno.EDQUOT}

Fill = Callable[[Path, int], Interpreter | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """The environment is there."""

    place: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class NotReady:
    """There is nothing to use. why: what is wrong with what is there; empty for nothing there."""

    place: Path
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """A store at a real path; nothing need exist there."""

    root: Path

    @classmethod
    def open(cls, root: Path | None = None, environ: Variables = os.environ) -> Self:
        """Choose the folder as `location.root_from` does.

        Raises `InvalidArgument` and `UnsafeStore`.
        """
        return cls(root=location.root_from(root, environ))

    def create(self) -> None:
        """Make the folder of the store, for this user alone, if it does not exist.

        Raises `BuildFailed` when that is not possible.
        """
        with _as_build_failure(self.root, "make"):
            store_folder.create(self.root)

    @property
    def interpreters_file(self) -> Path:
        """The file that remembers interpreters."""
        return self.root / "interpreters.json"

    @property
    def environments(self) -> Path:
        """The folder of all environments."""
        return self.root / "environments"

    def cache(self, manager: str) -> Path:
        """Return the download cache of an installer."""
        return self.root / "cache" / manager

    def look(self, manager: str, key: str) -> Ready | NotReady:
        """Check whether an environment is ready: its marker is valid, and no file changed since.

        Takes no lock.
        """
        place = self._place(manager, key)
        why = _why_unusable(place, key)
        if why is None:
            return Ready(place=place)
        return NotReady(place=place, why=why)

    def build(
        self, manager: str, key: str, interpreter: Interpreter, fill: Fill, report: Reporter
    ) -> tuple[Path, bool, str]:
        """Build an environment, unless another process does so first.

        Returns its path, whether it was built here, and why what was there before could not be
        used, or "". `fill` makes the environment at the path it gets, which does not exist; what it
        starts must inherit the descriptor it gets; it returns the interpreter that the environment
        brings, if it has one of its own. When it raises, nothing of the environment remains.
        Programs that run in a damaged environment are waited for.

        Raises `BuildFailed` when they do not end, the store cannot be written to or has no locks,
        or installed files do not match their records.
        """
        with (
            _as_build_failure(self.root, "build an environment in"),
            self._locked(manager, key, report) as lock,
        ):
            found = self.look(manager, key)
            if isinstance(found, Ready):
                return found.place, False, ""
            place = found.place
            removal.await_programs(place, found.why, report)
            try:
                removal.remove(place)
                place.parent.mkdir(parents=True, exist_ok=True)
                own_interpreter = fill(place, lock)
                _check(place)
                manifest.write(place)
                ready_marker.write(place, manager, key, own_interpreter or interpreter)
            except BaseException:
                with suppress(OSError):
                    removal.remove(place)
                raise
        return place, True, found.why

    def use(self, place: Path) -> int | None:
        """Keep a ready environment from being removed, as long as the returned descriptor is open.

        None when it has been removed meanwhile.
        """
        return file_locks.shared(place / MARKER)

    def remove(self, place: Path, *, only_incomplete: bool = False) -> bool:
        """Remove an environment of this store, ready or not; False when it is being built or used.

        With `only_incomplete` one that has been marked ready meanwhile stays too. Raises
        `BuildFailed` when the store cannot be written to or has no locks.
        """
        with _as_build_failure(self.root, "remove an environment from"):
            path = self._lock_path(place.name)
            store_folder.create(self.root)
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = file_locks.exclusive(path)
            if lock is None:
                return False
            try:
                if only_incomplete and (place / MARKER).exists():
                    return False
                if not removal.claim(place):
                    return False
                removal.remove(place)
                uses.forget(self.root, place.name)
                path.unlink(missing_ok=True)
            finally:
                os.close(lock)
            return True

    def is_busy(self, place: Path) -> bool:
        """Whether an environment is being built or removed, or a program runs in it."""
        return file_locks.is_held(self._lock_path(place.name)) or file_locks.is_held(place / MARKER)

    def sweep(self) -> None:
        """Remove environments whose build or removal was killed, and their locks.

        One look into a folder when there is nothing to do. Nothing is done where nothing can be
        written.
        """
        with suppress(OSError, BuildFailed):
            names = {entry.name for entry in os.scandir(self.environments)}
            for name in names:
                if not (self.environments / name / MARKER).exists():
                    self.remove(self.environments / name, only_incomplete=True)
            for entry in os.scandir(self.root / "locks"):
                name = entry.name.removesuffix(_LOCK)
                if name not in names:
                    self.remove(self.environments / name, only_incomplete=True)

    def _place(self, manager: str, key: str) -> Path:
        return self.environments / f"{manager}-{key[:_KEY_LENGTH]}"

    def _lock_path(self, name: str) -> Path:
        return self.root / "locks" / f"{name}{_LOCK}"

    @contextmanager
    def _locked(self, manager: str, key: str, report: Reporter) -> Iterator[int]:
        """Hold the lock of a key.

        Closing releases it: unlocking would release an orphan's lock too.
        """
        path = self._lock_path(self._place(manager, key).name)
        store_folder.create(self.root)
        path.parent.mkdir(parents=True, exist_ok=True)

        def waiting() -> None:
            report(f"Waiting for another process that builds this environment ({path})")

        descriptor = file_locks.exclusive(path, waiting)
        assert descriptor is not None  # noqa: S101 - without patience it waits
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _why_unusable(place: Path, key: str) -> str | None:
    """Return why `place` is not an environment with this key.

    "" when nothing is there, None when it is ready.
    """
    try:
        content = ready_marker.read(place)
    except FileNotFoundError:
        if place.exists():
            return "its build did not end"
        return ""
    except (OSError, ValueError, RecursionError):
        return "its marker is damaged"
    why = ready_marker.why_invalid(content, place, key)
    if why:
        return why
    if not store_folder.is_trusted(place.stat()):
        return "it belongs to another user"
    try:
        for path, change in manifest.changes(place):
            return f"{path} {change}"
    except (OSError, ValueError, TypeError, KeyError, RecursionError, AttributeError):
        return "the list of its files is damaged"
    return None


def _check(place: Path) -> None:
    # only builds need them
    from envkit.environments.store import virtual_environment
    from envkit.installed import records

    for problem in virtual_environment.problems(place):
        raise BuildFailed(f"build the environment {place}", problem)
    problems = list(records.problems(place))
    if problems:
        raise BuildFailed(
            f"build the environment {place}: "
            f"{len(problems)} installed files do not match their records",
            "\n".join(problems[:5]),
        )


@contextmanager
def _as_build_failure(root: Path, doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BuildFailed(
            f"{doing} {root}{_reason(error)}",
            f"{error.strerror}: {error.filename or root}\n{location.REMEDY}",
        ) from error


def _reason(error: OSError) -> str:
    if error.errno in _NOT_WRITABLE:
        return ", which cannot be written to"
    if error.errno in _FULL:
        return ": no space left there"
    if error.errno in file_locks.WITHOUT_LOCKS:
        return (
            ": its file system has no locks, without which two processes could damage each "
            "other's work"
        )
    return ""
