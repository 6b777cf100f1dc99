"""Keep the environment store in order: what is in it, what is sound, and what can go."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.environments.store import file_locks, ready_marker, uses, verification
from envkit.environments.store import store as stores
from envkit.environments.store.store import Store
from envkit.errors import InvalidArgument, InvalidInput
from envkit.models.uris import cache as fetched_models

_SHORTEST_PREFIX = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """One environment of the store.

    name: of its folder, `<manager>-<start of the key>`. python: its version. size: bytes on the
    disk. last_used: seconds since the epoch. models: the folders of the models that used it, the
    latest first. unusable: why its marker does not fit, or empty. in_use: whether a program runs in
    it or it is being built.
    """

    name: str
    path: Path
    manager: str
    key: str
    python: str
    size: int
    last_used: float
    models: tuple[Path, ...]
    unusable: str
    in_use: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Removed:
    """What a clean-up did, or would do. kept: what had to go but is in use. cache: bytes of downloads that went."""

    removed: tuple[Stored, ...]
    kept: tuple[Stored, ...] = ()
    cache: int = 0

    @property
    def freed(self) -> int:
        """Bytes."""
        return sum(each.size for each in self.removed) + self.cache


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """One environment and all that is wrong with it; removed: whether it was therefore removed."""

    environment: Stored
    problems: tuple[str, ...]
    removed: bool = False


def environments(root: Path | None = None) -> tuple[Stored, ...]:
    """List the environments of a store, the last used first. `root` is as for `prepare`."""
    shelf = _store(root)
    try:
        folders = [
            entry
            for entry in shelf.environments.iterdir()
            if entry.is_dir() and not entry.is_symlink()
        ]
    except OSError:
        return ()
    found = [_stored(shelf, folder) for folder in folders]
    return tuple(sorted(found, key=lambda each: (-each.last_used, each.name)))


def select(targets: Sequence[str | Path], root: Path | None = None) -> tuple[Stored, ...]:
    """Give the environments that are meant, each once; all when there are no targets.

    A target is the name of an environment, the beginning of its name or key, its path, or a model
    that used it. Raises `InvalidInput` for one that means none, `InvalidArgument` for a beginning
    that means several.
    """
    known = environments(root)
    if not targets:
        return known
    meant = {each.name: each for target in targets for each in _meant(str(target), known)}
    return tuple(meant.values())


def remove(
    targets: Sequence[str | Path], root: Path | None = None, *, dry_run: bool = False
) -> Removed:
    """Remove the environments that are meant (see `select`), unless they are in use."""
    return _remove(_store(root), select(targets, root) if targets else (), dry_run=dry_run)


def prune(
    root: Path | None = None,
    *,
    older_than: float | None = None,
    max_size: int | None = None,
    everything: bool = False,
    cache: bool = False,
    dry_run: bool = False,
) -> Removed:
    """Remove what is not needed; an environment in use stays.

    That is what killed processes left and what cannot be used any more; with `older_than` (seconds)
    also what was not used for so long; with `max_size` (bytes) the longest unused until the rest is
    not larger; with `everything` all. `cache` empties the installers' download caches, unless
    something is being built, and removes fetched models that no process uses. `dry_run` only tells.

    Raises `BuildFailed` when the store cannot be written to or has no locks.
    """
    shelf = _store(root)
    if not dry_run:
        shelf.sweep()
        _remove_temporary(shelf)
    known = environments(root)
    doomed = [each for each in known if everything or each.unusable or _is_older(each, older_than)]
    if max_size is not None:
        doomed += _beyond(max_size, [each for each in known if each not in doomed])
    done = _remove(shelf, doomed, dry_run=dry_run)
    if cache:
        freed = _empty_cache(shelf, dry_run=dry_run) + fetched_models.remove_unused(
            shelf.root, dry_run=dry_run
        )
    else:
        freed = 0
    return Removed(removed=done.removed, kept=done.kept, cache=freed)


def verify(
    targets: Sequence[str | Path] = (), root: Path | None = None, *, repair: bool = False
) -> Iterator[Verified]:
    """Check every file of the environments that are meant, default all, against its recorded digest.

    With `repair` a damaged one is removed, unless it is in use, so that its next use builds it
    anew.
    """
    shelf = _store(root)
    for each in select(targets, root):
        if each.unusable and each.in_use:
            continue  # it is being built
        found = tuple(verification.problems(each.path))
        yield Verified(
            environment=each,
            problems=found,
            removed=bool(found) and repair and shelf.remove(each.path),
        )


def _store(root: Path | None) -> Store:
    return Store(root=stores.root_from(root, os.environ))


def _stored(shelf: Store, folder: Path) -> Stored:
    known = uses.of(shelf.root, folder.name)
    facts, unusable = _marked(folder)
    manager, _, key = folder.name.partition("-")
    return Stored(
        name=folder.name,
        path=folder,
        manager=manager,
        key=str(facts.get("key", key)),
        python=str(facts.get("interpreter", {}).get("version", "")),
        size=_size(folder),
        last_used=known.last or _changed(folder / ready_marker.NAME) or _changed(folder),
        models=known.models,
        unusable=unusable,
        in_use=shelf.is_busy(folder),
    )


def _marked(folder: Path) -> tuple[dict[str, Any], str]:
    try:
        facts = ready_marker.read(folder)
    except FileNotFoundError:
        return {}, "its build or its removal did not end"
    except (OSError, ValueError, RecursionError):
        return {}, "its marker is damaged"
    if not isinstance(facts, dict) or not isinstance(facts.get("interpreter"), dict):
        return {}, "its marker is damaged"
    return facts, ready_marker.why_unfit(facts, folder, facts.get("key", ""))


def _meant(target: str, known: Iterable[Stored]) -> list[Stored]:
    path = os.path.realpath(target.removeprefix("file://"))
    found = [each for each in known if target in {each.name, each.key} or path == str(each.path)]
    found = found or [each for each in known if path in map(str, each.models)]
    if found:
        return found
    if len(target) >= _SHORTEST_PREFIX:
        found = [
            each for each in known if each.name.startswith(target) or each.key.startswith(target)
        ]
    if len(found) > 1:
        raise InvalidArgument(
            f"{target!r} begins several environments: {', '.join(sorted(each.name for each in found))}."
        )
    if not found:
        raise InvalidInput(
            f"No environment in the store is meant by {target!r}: it is no name or beginning of one, no path of "
            "one, and no model that used one. `envkit envs list` shows them."
        )
    return found


def _remove(shelf: Store, doomed: Iterable[Stored], *, dry_run: bool) -> Removed:
    gone: list[Stored] = []
    kept: list[Stored] = []
    for each in doomed:
        went = not each.in_use if dry_run else shelf.remove(each.path)
        (gone if went else kept).append(each)
    return Removed(removed=tuple(gone), kept=tuple(kept))


def _is_older(environment: Stored, seconds: float | None) -> bool:
    return seconds is not None and environment.last_used < time.time() - seconds


def _beyond(max_size: int, known: Sequence[Stored]) -> Iterator[Stored]:
    """Yield the longest unused environments, until the others are small enough; what is in use counts but stays."""
    total = sum(each.size for each in known)
    for each in sorted(known, key=lambda each: each.last_used):
        if total <= max_size:
            return
        if not each.in_use:
            total -= each.size
        yield each


def _empty_cache(shelf: Store, *, dry_run: bool) -> int:
    folder = shelf.root / "cache"
    if any(file_locks.is_held(path) for path in (shelf.root / "locks").glob("*")):
        return 0
    size = _size(folder)
    if not dry_run:
        shutil.rmtree(folder, ignore_errors=True)
    return size


def _remove_temporary(shelf: Store) -> None:
    """Remove files that processes were writing when they were killed, here and in uv's cache."""
    places = [
        shelf.root.glob(".*-*"),
        *((shelf.root / "cache").glob(f"{deep}.tmp*") for deep in ("*/", "*/*/")),
    ]
    for path in (each for place in places for each in place):
        if time.time() - _changed(path) > 3600:
            with suppress(OSError):
                path.unlink() if not path.is_dir() else shutil.rmtree(path, ignore_errors=True)


def _changed(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def _size(folder: Path) -> int:
    """Give the bytes that a folder takes on the disk."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_blocks * 512  # noqa: PTH118 - for thousands of files
    return total
