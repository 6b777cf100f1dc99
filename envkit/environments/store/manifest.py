"""What the files of an environment were when it was ready: path, size and time of change of each.

Reading these again tells at each use what was removed, truncated, edited or replaced since: 20,000
files take 50 ms. It does not tell an edit that keeps size and time, which needs the digests of the
records (`envkit envs verify`). What Python itself writes at run time (`__pycache__`) is no part of
it. What was added beside the packages is told too, since an environment holds what was captured and
nothing else; what was added inside a package is only told in full.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NAME = ".envkit-files.json"
MARKER = ".envkit-ready.json"
_OWN = {NAME, MARKER, f"{MARKER}.new"}
_CACHE = "__pycache__"
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Manifest:
    """paths, sizes, times: of each file, in the same order. beside: the folders of packages, and the names in each.

    Three long lists instead of many short ones are read in half the time.
    """

    paths: Sequence[str]
    sizes: Sequence[int]
    times: Sequence[int]
    beside: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, environment: Path) -> _Manifest:
        content = json.loads((environment / NAME).read_bytes())
        return cls(content["paths"], content["sizes"], content["times"], content["beside"])


def write(environment: Path) -> None:
    """Write the manifest, onto the disk, into an environment that is complete."""
    files = sorted(_files(environment))
    content = {
        "paths": [path for path, _, _ in files],
        "sizes": [size for _, size, _ in files],
        "times": [changed for _, _, changed in files],
        "beside": {str(each): _names(environment / each) for each in _tops(environment)},
    }
    with (environment / NAME).open("w", encoding="utf-8") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())


def changes(environment: Path) -> Iterator[tuple[str, str]]:
    """Yield each path that is not as it was, by size and time alone, and in words what is wrong with it.

    Raises `OSError`, `ValueError`, `TypeError` or `KeyError` when there is no sound manifest.
    """
    content = _Manifest.of(environment)
    folder = os.open(environment, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    look = os.stat
    try:
        for path, size, changed in zip(content.paths, content.sizes, content.times, strict=True):
            try:
                now = look(path, dir_fd=folder, follow_symlinks=False)
            except OSError:
                yield path, "is missing"
                continue
            if now.st_size != size or (
                now.st_mtime_ns != changed and not same_time(now.st_mtime_ns, changed)
            ):
                yield path, "was changed"
    finally:
        os.close(folder)
    for place, known in content.beside.items():
        yield from (
            (f"{place}/{name}", "was added")
            for name in sorted({*_names(environment / place)} - {*known})
        )


def added(environment: Path) -> Iterator[str]:
    """Yield the path of every file that was not there. Raises as `changes` does."""
    known = {*_Manifest.of(environment).paths}
    for path, _, _ in _files(environment):
        if path not in known:
            yield path


def same_time(now: int, then: int) -> bool:
    """Whether two times of change, in nanoseconds, are one; archives and images keep whole seconds only."""
    return now == then or (now % _SECOND == 0 and now == then - then % _SECOND)


def _files(environment: Path) -> Iterator[tuple[str, int, int]]:
    """Yield every file and link of an environment, its own two files apart."""
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(environment / folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != _CACHE:
                        folders.append(f"{folder}{entry.name}/")
                elif folder or entry.name not in _OWN:
                    found = entry.stat(follow_symlinks=False)
                    yield f"{folder}{entry.name}", found.st_size, found.st_mtime_ns


def _tops(environment: Path) -> list[Path]:
    """The folders in which packages lie, from the environment on."""
    return [
        each.relative_to(environment)
        for each in sorted(environment.glob("lib/python*/site-packages"))
    ]


def _names(folder: Path) -> list[str]:
    try:
        return sorted({*os.listdir(folder)} - {_CACHE})  # noqa: PTH208 - names alone
    except OSError:
        return []
