"""The environment store: one folder of built environments, shared by all models and processes of a user.

    <root>/environments/<manager>-<key>/   an environment; ready when it holds a fitting marker, else rubbish
    <root>/locks/<manager>-<key>.lock      held while that environment is built or removed
    <root>/uses/<manager>-<key>/           which models used it, and when (see `uses`)
    <root>/cache/<manager>/                the installers' download caches, private to the store
    <root>/interpreters.json               what interpreters are (see `interpreters`)

An environment is built where it stays, since a virtual environment cannot be moved; that it is
complete is told by its marker alone, which is written last. Whatever has no fitting marker, or
other files than when it was marked, is removed and built anew, never repaired. The lock is an open
file that installers inherit: when envkit is killed and its installer lives on, the lock is held
until that has ended too. Who runs a program in an environment shares a lock on its marker, which
keeps it from being removed or built again. What a killed process left is removed by the next that
comes by.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from envkit.environments.store import file_locks, manifest, ready_marker, uses
from envkit.errors import BuildFailed, InvalidArgument
from envkit.interpreters.interpreter import Interpreter

VARIABLE = "ENVKIT_HOME"
MARKER = ready_marker.NAME
PATIENCE_SECONDS = 60.0  # with programs that run in an environment which must be built again
_KEY_LENGTH = 24  # of 64 hexadecimal digits in folder names; the marker holds all
_LOCK = ".lock"

Fill = Callable[[Path, int], Interpreter | None]
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

    @property
    def environments(self) -> Path:
        """The folder of all environments."""
        return self.root / "environments"

    def cache(self, manager: str) -> Path:
        """The download cache of an installer."""
        return self.root / "cache" / manager

    def look(self, manager: str, key: str) -> Ready | NotReady:
        """Say whether an environment is ready: its marker fits, and no file changed since. Takes no lock."""
        place = self._place(manager, key)
        why = _why_unfit(place, key)
        if why is None:
            return Ready(place=place)
        return NotReady(place=place, why=why)

    def build(
        self, manager: str, key: str, interpreter: Interpreter, fill: Fill, report: Report
    ) -> tuple[Path, bool, str]:
        """Build an environment, unless another process does so first.

        Gives its path, whether it was built here, and why what was there before could not be used,
        or "". `fill` makes the environment at the path it gets, which does not exist; what it
        starts must inherit the descriptor it gets; it gives the interpreter that the environment
        brings, if it has one of its own. When it raises, nothing of the environment remains.
        Programs that run in a damaged environment are waited for. Raises `BuildFailed` when they do
        not end, the store cannot be written to or has no locks, or what was installed does not fit
        its records.
        """
        with (
            _told_as_build_failure(self.root, "build an environment in"),
            self._locked(manager, key, report) as lock,
        ):
            found = self.look(manager, key)
            if isinstance(found, Ready):
                return found.place, False, ""
            place = found.place
            _await_programs(found, report)
            try:
                _remove(place)
                place.parent.mkdir(parents=True, exist_ok=True)
                brought = fill(place, lock)
                _check(place)
                manifest.write(place)
                _mark(place, manager, key, brought or interpreter)
            except BaseException:
                with suppress(OSError):
                    _remove(place)
                raise
        return place, True, found.why

    def use(self, place: Path) -> int | None:
        """Keep a ready environment from being removed, as long as the descriptor that this gives is open.

        None when it has been removed meanwhile.
        """
        return file_locks.shared(place / MARKER)

    def remove(self, place: Path, *, only_rubbish: bool = False) -> bool:
        """Remove an environment of this store, ready or not; False when it is being built or used.

        With `only_rubbish` one that has been marked ready meanwhile stays too. Raises `BuildFailed`
        when the store cannot be written to or has no locks.
        """
        with _told_as_build_failure(self.root, "remove an environment from"):
            path = self._lock_path(place.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = file_locks.exclusive(path)
            if lock is None:
                return False
            try:
                if (only_rubbish and (place / MARKER).exists()) or not _free(place):
                    return False
                _remove(place)
                uses.forget(self.root, place.name)
                path.unlink(missing_ok=True)
            finally:
                os.close(lock)
            return True

    def is_busy(self, place: Path) -> bool:
        """Whether an environment is being built or removed, or a program runs in it."""
        return file_locks.is_held(self._lock_path(place.name)) or file_locks.is_held(place / MARKER)

    def sweep(self) -> None:
        """Remove what killed processes left: environments whose build or removal did not end, and their locks.

        One look into a folder when there is nothing to do. Nothing is done where nothing can be
        written.
        """
        with suppress(OSError, BuildFailed):
            held = {entry.name for entry in os.scandir(self.environments)}
            for name in held:
                if not (self.environments / name / MARKER).exists():
                    self.remove(self.environments / name, only_rubbish=True)
            for entry in os.scandir(self.root / "locks"):
                if entry.name.removesuffix(_LOCK) not in held:
                    self.remove(
                        self.environments / entry.name.removesuffix(_LOCK), only_rubbish=True
                    )

    def _place(self, manager: str, key: str) -> Path:
        return self.environments / f"{manager}-{key[:_KEY_LENGTH]}"

    def _lock_path(self, name: str) -> Path:
        return self.root / "locks" / f"{name}{_LOCK}"

    @contextmanager
    def _locked(self, manager: str, key: str, report: Report) -> Iterator[int]:
        """Hold the lock of a key; it is released by closing: unlocking would release an orphan's too."""
        path = self._lock_path(self._place(manager, key).name)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = file_locks.exclusive(
            path,
            lambda: report(f"Waiting for another process that builds this environment ({path})"),
        )
        assert descriptor is not None  # noqa: S101 - it was waited for
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _why_unfit(place: Path, key: str) -> str | None:
    """Say why there is no environment with this key at `place`: "" when there is nothing, None when it is ready."""
    try:
        found = ready_marker.read(place)
    except FileNotFoundError:
        if place.exists():
            return "its build did not end"
        return ""
    except (OSError, ValueError, RecursionError):
        return "its marker is damaged"
    if why := ready_marker.why_unfit(found, place, key):
        return why
    try:
        return next((f"{path} {what}" for path, what in manifest.changes(place)), None)
    except (OSError, ValueError, TypeError, KeyError, RecursionError, AttributeError):
        return "the list of its files is damaged"


def _check(place: Path) -> None:
    from envkit.installed import records  # only builds need it

    found = list(records.problems(place))
    if found:
        shown = "\n".join(found[:5])
        raise BuildFailed(
            f"build the environment {place}: {len(found)} installed files do not fit their records",
            shown,
        )


_mark = ready_marker.write


def _await_programs(damaged: NotReady, report: Report) -> None:
    """Wait for the programs that run in an environment, which is not taken away from under them."""
    place, why = damaged.place, damaged.why
    if not (place / MARKER).is_file():
        return
    descriptor = file_locks.exclusive(
        place / MARKER,
        lambda: report(
            f"Waiting for programs that run in {place}, which must be built again: {why}"
        ),
        create=False,
        patience=PATIENCE_SECONDS,
    )
    if descriptor is None:
        raise BuildFailed(
            f"build {place} again, where programs run ({why})",
            f"End them: `envkit envs list` says in use. Or choose another folder: {VARIABLE}.",
        )
    (place / MARKER).unlink(missing_ok=True)
    os.close(descriptor)


def _free(place: Path) -> bool:
    """Whether no program runs in an environment. Its lock need not be kept: who comes later finds no marker."""
    if not (place / MARKER).is_file():
        return True
    descriptor = file_locks.exclusive(place / MARKER, create=False)
    if descriptor is None:
        return False
    (place / MARKER).unlink(missing_ok=True)
    os.close(descriptor)
    return True


def _remove(place: Path) -> None:
    """Remove an environment, its marker first: what is left when this is interrupted is no environment."""
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.exists():
        (place / MARKER).unlink(missing_ok=True)
        try:
            shutil.rmtree(place)
        except PermissionError:
            _make_removable(place)
            shutil.rmtree(place)


def _make_removable(place: Path) -> None:
    """Give the owner all rights in the folders of an environment, which some packages take away."""
    place.chmod(0o700)
    for folder, names, _ in os.walk(place):
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o700)


@contextmanager
def _told_as_build_failure(root: Path, doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = ""
        if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
            why = ", which cannot be written to"
        elif error.errno in {errno.ENOSPC, errno.EDQUOT}:
            why = ": no space left there"
        elif error.errno in file_locks.WITHOUT_LOCKS:
            why = ": its file system has no locks, without which two processes could damage each other's work"
        raise BuildFailed(
            f"{doing} {root}{why}",
            f"{error.strerror}: {error.filename or root}\nChoose another folder: {VARIABLE}.",
        ) from error
