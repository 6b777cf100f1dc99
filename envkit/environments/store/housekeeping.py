"""Keep the environment store in order: list what is in it, verify it, remove what is not needed."""

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
from envkit.environments.store.store import Store
from envkit.errors import InvalidArgument, InvalidInput
from envkit.models.uris import cache as fetched_models

_SHORTEST_PREFIX = 4
_ABANDONED_SECONDS = 3600.0  # after which a temporary file belongs to a killed process


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredEnvironment:
    """One environment of the store.

    name: of its folder, `<manager>-<start of the key>`. python: its version. size: bytes on the
    disk. last_used: seconds since the epoch. models: the folders of the models that used it, the
    latest first. unusable: why its marker is invalid, or empty. in_use: whether a program runs in
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
    """What a clean-up removed, or would remove.

    kept: what should go but is in use. cache: bytes of downloads that were removed.
    """

    removed: tuple[StoredEnvironment, ...]
    kept: tuple[StoredEnvironment, ...] = ()
    cache: int = 0

    @property
    def freed(self) -> int:
        """Bytes."""
        return sum(environment.size for environment in self.removed) + self.cache


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """One environment and all that is wrong with it; removed: whether it was therefore removed."""

    environment: StoredEnvironment
    problems: tuple[str, ...]
    removed: bool = False


def environments(root: Path | None = None) -> tuple[StoredEnvironment, ...]:
    """List the environments of a store, the last used first. `root` is as for `prepare`."""
    store = Store.open(root)
    try:
        entries = list(store.environments.iterdir())
    except OSError:
        return ()
    folders = [entry for entry in entries if entry.is_dir() and not entry.is_symlink()]
    stored = [_stored(store, folder) for folder in folders]
    return tuple(sorted(stored, key=lambda each: (-each.last_used, each.name)))


def select(
    targets: Sequence[str | Path], root: Path | None = None
) -> tuple[StoredEnvironment, ...]:
    """Return the environments that the targets name, each once; all when there are no targets.

    A target is the name of an environment, the beginning of its name or key, its path, or a model
    that used it. Raises `InvalidInput` for one that names none, `InvalidArgument` for a beginning
    that several share.
    """
    stored = environments(root)
    if not targets:
        return stored
    selected = {}
    for target in targets:
        for environment in _named(str(target), stored):
            selected[environment.name] = environment
    return tuple(selected.values())


def remove(
    targets: Sequence[str | Path], root: Path | None = None, *, dry_run: bool = False
) -> Removed:
    """Remove the environments that the targets name (see `select`), unless they are in use."""
    selected = select(targets, root) if targets else ()
    return _remove(Store.open(root), selected, dry_run=dry_run)


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
    not larger; with `everything` all. `cache` empties the installers' download caches and the
    layers of images, unless something is being built, and removes fetched models that no process
    uses. `dry_run` only reports.

    Raises `BuildFailed` when the store cannot be written to or has no locks.
    """
    store = Store.open(root)
    if not dry_run:
        store.sweep()
        _remove_temporary_files(store)
    doomed, others = [], []
    for environment in environments(root):
        if everything or environment.unusable or _is_older(environment, older_than):
            doomed.append(environment)
        else:
            others.append(environment)
    if max_size is not None:
        doomed += _beyond(max_size, others)
    done = _remove(store, doomed, dry_run=dry_run)
    freed = 0
    if cache:
        freed += _empty_cache(store, dry_run=dry_run)
        freed += fetched_models.remove_unused(store.root, dry_run=dry_run)
    return Removed(removed=done.removed, kept=done.kept, cache=freed)


def verify(
    targets: Sequence[str | Path] = (), root: Path | None = None, *, repair: bool = False
) -> Iterator[Verified]:
    """Check every file of environments, default all, against its recorded digest.

    `targets` are as for `select`.

    With `repair` a damaged one is removed, unless it is in use, so that its next use rebuilds it.
    """
    store = Store.open(root)
    for environment in select(targets, root):
        if environment.unusable and environment.in_use:
            # it is being built
            continue
        problems = tuple(verification.problems(environment.path))
        removed = bool(problems) and repair and store.remove(environment.path)
        yield Verified(environment=environment, problems=problems, removed=removed)


def _stored(store: Store, folder: Path) -> StoredEnvironment:
    used = uses.of(store.root, folder.name)
    marker, unusable = _read_marker(folder)
    manager, _, key = folder.name.partition("-")
    return StoredEnvironment(
        name=folder.name,
        path=folder,
        manager=manager,
        key=str(marker.get("key", key)),
        python=str(marker.get("interpreter", {}).get("version", "")),
        size=_size(folder),
        last_used=used.last or _mtime(folder / ready_marker.NAME) or _mtime(folder),
        models=used.models,
        unusable=unusable,
        in_use=store.is_busy(folder),
    )


def _read_marker(folder: Path) -> tuple[dict[str, Any], str]:
    """Return the content of a marker, and why it is invalid, or an empty text."""
    try:
        content = ready_marker.read(folder)
    except FileNotFoundError:
        return {}, "its build or its removal did not end"
    except (OSError, ValueError, RecursionError):
        return {}, "its marker is damaged"
    if not isinstance(content, dict) or not isinstance(content.get("interpreter"), dict):
        return {}, "its marker is damaged"
    return content, ready_marker.why_invalid(content, folder, content.get("key", ""))


def _named(target: str, stored: Iterable[StoredEnvironment]) -> list[StoredEnvironment]:
    """Find environments by name, key or path, else by a model, else by a prefix."""
    path = os.path.realpath(target.removeprefix("file://"))
    by_name = [each for each in stored if target in (each.name, each.key) or path == str(each.path)]
    if by_name:
        return by_name
    by_model = [each for each in stored if path in map(str, each.models)]
    if by_model:
        return by_model
    by_prefix = []
    if len(target) >= _SHORTEST_PREFIX:
        by_prefix = [each for each in stored if _begins_with(each, target)]
    if len(by_prefix) > 1:
        names = ", ".join(sorted(each.name for each in by_prefix))
        raise InvalidArgument(f"{target!r} is ambiguous: {names}.")
    if not by_prefix:
        raise InvalidInput(
            f"No stored environment matches {target!r} (name, key prefix, path or model). "
            "`envkit envs list` shows them."
        )
    return by_prefix


def _begins_with(environment: StoredEnvironment, prefix: str) -> bool:
    return environment.name.startswith(prefix) or environment.key.startswith(prefix)


def _remove(store: Store, doomed: Iterable[StoredEnvironment], *, dry_run: bool) -> Removed:
    removed: list[StoredEnvironment] = []
    kept: list[StoredEnvironment] = []
    for environment in doomed:
        if dry_run:
            goes = not environment.in_use
        else:
            goes = store.remove(environment.path)
        if goes:
            removed.append(environment)
        else:
            kept.append(environment)
    return Removed(removed=tuple(removed), kept=tuple(kept))


def _is_older(environment: StoredEnvironment, seconds: float | None) -> bool:
    return seconds is not None and environment.last_used < time.time() - seconds


def _beyond(max_size: int, stored: Sequence[StoredEnvironment]) -> Iterator[StoredEnvironment]:
    """Yield the longest unused, until the others are small enough; one in use counts but stays."""
    total = sum(environment.size for environment in stored)
    for environment in sorted(stored, key=lambda each: each.last_used):
        if total <= max_size:
            return
        if not environment.in_use:
            total -= environment.size
        yield environment


def _empty_cache(store: Store, *, dry_run: bool) -> int:
    locks = [*store.root.glob("locks/*"), *store.root.glob("images/layers/*.lock")]
    if any(file_locks.is_held(path) for path in locks):
        return 0
    size = 0
    for folder in (store.root / "cache", store.root / "images"):
        size += _size(folder)
        if not dry_run:
            shutil.rmtree(folder, ignore_errors=True)
    return size


def _remove_temporary_files(store: Store) -> None:
    """Remove files that processes were writing when they were killed, here and in uv's cache."""
    cache = store.root / "cache"
    left = [*store.root.glob(".*-*"), *cache.glob("*/.tmp*"), *cache.glob("*/*/.tmp*")]
    left += store.root.glob("images/*/.*")
    for path in left:
        if time.time() - _mtime(path) < _ABANDONED_SECONDS:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def _mtime(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def _size(folder: Path) -> int:
    """Sum the bytes that a folder takes on the disk."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)  # noqa: PTH118 - for thousands of files
            with suppress(OSError):
                total += os.lstat(path).st_blocks * 512
    return total
