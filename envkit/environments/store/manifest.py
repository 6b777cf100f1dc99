"""What the files of an environment were when it was ready: path, size and time of change of each.

Comparing them at each use shows what was removed, truncated, edited or replaced since: 20,000 files
take 50 ms. An edit that keeps size and time shows only in the digests of the records (`envkit envs
verify`). What Python itself writes at run time (`__pycache__`) is left out. What was added next to
the packages counts, since an environment holds what was captured and nothing else; what was added
inside a package is only found by `added`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NAME = ".envkit-files.json"
MARKER = ".envkit-ready.json"
CHANGED, ADDED, MISSING = "was changed", "was added", "is missing"
_OWN = {NAME, MARKER, f"{MARKER}.new"}
_CACHE = "__pycache__"
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Manifest:
    """Path, size and time of change of each file, and the names in each folder of packages.

    Three long lists instead of many short ones are read in half the time.
    """

    paths: Sequence[str]
    sizes: Sequence[int]
    times: Sequence[int]
    beside: Mapping[str, Sequence[str]]

    @classmethod
    def read(cls, environment: Path) -> _Manifest:
        content = json.loads((environment / NAME).read_bytes())
        return cls(content["paths"], content["sizes"], content["times"], content["beside"])


def write(environment: Path) -> None:
    """Write the manifest, onto the disk, into an environment that is complete."""
    files = sorted(_files(environment))
    content = {
        "paths": [path for path, _, _ in files],
        "sizes": [size for _, size, _ in files],
        "times": [mtime_ns for _, _, mtime_ns in files],
        "beside": {str(folder): _names(environment / folder) for folder in _sites(environment)},
    }
    with (environment / NAME).open("w", encoding="utf-8") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())


def changes(environment: Path) -> Iterator[tuple[str, str]]:
    """Yield each path that differs by size or time alone, and in words how.

    Raises `OSError`, `ValueError`, `TypeError` or `KeyError` when there is no valid manifest.
    """
    content = _Manifest.read(environment)
    folder = os.open(environment, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    # a local name: the loop runs 20,000 times at every use of an environment
    stat = os.stat
    try:
        for path, size, mtime_ns in zip(content.paths, content.sizes, content.times, strict=True):
            try:
                status = stat(path, dir_fd=folder, follow_symlinks=False)
            except OSError:
                yield path, MISSING
                continue
            if status.st_size != size or (
                status.st_mtime_ns != mtime_ns and not same_time(status.st_mtime_ns, mtime_ns)
            ):
                yield path, CHANGED
    finally:
        os.close(folder)
    for site, known in content.beside.items():
        for name in sorted({*_names(environment / site)} - {*known}):
            yield f"{site}/{name}", ADDED


def added(environment: Path) -> Iterator[str]:
    """Yield the path of every file that was not there. Raises as `changes` does."""
    known = {*_Manifest.read(environment).paths}
    for path, _, _ in _files(environment):
        if path not in known:
            yield path


def same_time(now: int, then: int) -> bool:
    """Whether two times of change, in nanoseconds, are equal.

    Archives and images keep only whole seconds.
    """
    return now == then or (now % _SECOND == 0 and now == then - then % _SECOND)


def _files(environment: Path) -> Iterator[tuple[str, int, int]]:
    """Yield path, size and time of every file and link, without envkit's own two files."""
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(environment / folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != _CACHE:
                        folders.append(f"{folder}{entry.name}/")
                elif folder or entry.name not in _OWN:
                    status = entry.stat(follow_symlinks=False)
                    yield f"{folder}{entry.name}", status.st_size, status.st_mtime_ns


def _sites(environment: Path) -> list[Path]:
    """Return the folders of packages, relative to the environment."""
    sites = sorted(environment.glob("lib/python*/site-packages"))
    return [site.relative_to(environment) for site in sites]


def _names(folder: Path) -> list[str]:
    try:
        return sorted({*os.listdir(folder)} - {_CACHE})  # noqa: PTH208 - names alone
    except OSError:
        return []
