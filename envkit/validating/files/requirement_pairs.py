"""Pairs of lines that require the same name in the same place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from packaging.version import InvalidVersion, Version

from envkit.validating.files.markers import overlap
from envkit.validating.files.requirement_files import Line

MAX_SAME = 50  # lines of one name that are all compared with each other


def overlapping(lines: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
    """Yield each two lines of one name whose markers hold together for some Python and platform."""
    by_name: dict[str, list[Line]] = {}
    for line in lines:
        if line.name is not None:
            by_name.setdefault(line.name, []).append(line)
    for same in by_name.values():
        for first, second in _pairs(same):
            if overlap(first.marker, second.marker):
                yield first, second


def _pairs(lines: list[Line]) -> Iterator[tuple[Line, Line]]:
    """Yield all pairs; of very many lines, which only a hostile file has, those with the first."""
    yield from combinations(lines[:MAX_SAME], 2)
    for line in lines[MAX_SAME:]:
        yield lines[0], line


def exclude_each_other(first: Line, second: Line) -> bool:
    """Whether no version satisfies both, as far as a pin on either side shows."""
    if first.url is not None and second.url is not None:
        return first.url != second.url
    return _excludes(first, second) or _excludes(second, first)


def excludes_itself(line: Line) -> bool:
    """Whether a line pins a version that it excludes: `==1.0,<1`."""
    return line.url is None and line.version is not None and _excludes(line, line)


def _excludes(line: Line, other: Line) -> bool:
    """Whether a line excludes the version that another pins."""
    if other.version is None or line.parsed is None:
        return False
    try:
        version = Version(other.version)
    except InvalidVersion:
        return line.version is not None and other.version != line.version
    return not line.specifier.contains(version, prereleases=True)
