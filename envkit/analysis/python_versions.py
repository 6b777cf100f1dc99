"""Which Python wrote an artifact, as far as that can be told when `MLmodel` does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# minor versions of Python 3 for which scikit-learn has wheels, from that release on
NEWEST_WITH_WHEELS = {
    (0, 20): 7,
    (0, 22): 8,
    (0, 24): 9,
    (1, 0): 10,
    (1, 1): 11,
    (1, 3): 12,
    (1, 5): 13,
    (1, 7): 14,
}
NEWEST_KNOWN = (1, 8)


def python_of(
    written: Iterable[tuple[int, int]], versions: Mapping[str, str], installed: str
) -> str | None:
    """Give the version that stands for the Python that wrote an artifact, `3.8`; None when `installed` may be it.

    written: the oldest and newest minor version of each function in it. versions: what it records
    of distributions that are not installed. installed: the version of the interpreter.
    """
    oldest, newest = _common(written)
    known = _of_scikit_learn(versions.get("scikit-learn", ""))
    if known is not None and known >= oldest:
        newest = min(newest, known)
    minor = int(installed.split(".")[1])
    if oldest <= minor <= newest:
        return None
    return f"3.{newest if minor > newest else oldest}"


def _common(written: Iterable[tuple[int, int]]) -> tuple[int, int]:
    ranges = list(written)
    oldest, newest = (
        max((low for low, _ in ranges), default=0),
        min((high for _, high in ranges), default=99),
    )
    # several Pythons wrote it: nothing is known
    if oldest <= newest:
        return (oldest, newest)
    return (0, 99)


def _of_scikit_learn(version: str) -> int | None:
    parts = version.split(".")[:2]
    if len(parts) < 2 or not all(map(str.isdecimal, parts)):
        return None
    release = (int(parts[0]), int(parts[1]))
    fitting = [first for first in NEWEST_WITH_WHEELS if first <= release]
    if fitting and release < NEWEST_KNOWN:
        return NEWEST_WITH_WHEELS[max(fitting)]
    return None
