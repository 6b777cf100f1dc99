"""Pairs of lines of one name that hold together somewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from packaging.version import InvalidVersion, Version

from envkit.validating.files.markers import overlap
from envkit.validating.files.requirement_files import Line

MAX_SAME = 50  # lines of one name that are all held against each other


def overlapping(lines: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
    """Yield each two lines of one name whose markers hold together on some Python and platform."""
    by_name: dict[str, list[Line]] = {}
    for line in lines:
        if line.name is not None:
            by_name.setdefault(line.name, []).append(line)
    for same in by_name.values():
        for first, second in combinations(same[:MAX_SAME], 2):
            if overlap(first.marker, second.marker):
                yield first, second
        yield from (
            (same[0], each) for each in same[MAX_SAME:] if overlap(same[0].marker, each.marker)
        )


def exclude_each_other(first: Line, second: Line) -> bool:
    """Whether no version satisfies both, as far as a pin on either side tells."""
    if first.url is not None and second.url is not None:
        return first.url != second.url
    return _refuses(first, second) or _refuses(second, first)


def excludes_itself(line: Line) -> bool:
    """Whether a line pins a version that it refuses: `==1.0,<1`."""
    return line.url is None and line.version is not None and _refuses(line, line)


def _refuses(line: Line, other: Line) -> bool:
    """Whether a line does not admit the version that another pins."""
    if other.version is None or line.parsed is None:
        return False
    try:
        version = Version(other.version)
    except InvalidVersion:
        if line.version is not None:
            return other.version != line.version
        return False
    return not line.specifier.contains(version, prereleases=True)
