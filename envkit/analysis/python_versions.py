"""Which Python wrote an artifact, as far as that can be known if `MLmodel` does not say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
"""The newest minor version of Python 3 with wheels of scikit-learn, from that release on."""

NEWEST_KNOWN = (1, 8)
ANY = (0, 99)


def python_of(
    written: Iterable[tuple[int, int]],
    versions: Mapping[str, str],
    installed: str,
) -> str | None:
    """Guess the Python that wrote an artifact, as `3.8`; None if `installed` may be it.

    written: for each function in the artifact, the oldest and newest minor version that may have
    written it. versions: what it records of distributions that are not installed. installed: the
    version of the interpreter.
    """
    oldest, newest = _common(list(written))
    of_scikit_learn = _newest_for_scikit_learn(versions.get("scikit-learn", ""))
    if of_scikit_learn is not None and of_scikit_learn >= oldest:
        newest = min(newest, of_scikit_learn)
    minor = int(installed.split(".")[1])
    if minor < oldest:
        return f"3.{oldest}"
    if minor > newest:
        return f"3.{newest}"
    return None


def _common(ranges: list[tuple[int, int]]) -> tuple[int, int]:
    """The versions that may have written all functions; any, if several versions wrote them."""
    if not ranges:
        return ANY
    oldest = max(low for low, _ in ranges)
    newest = min(high for _, high in ranges)
    if oldest > newest:
        return ANY
    return oldest, newest


def _newest_for_scikit_learn(version: str) -> int | None:
    parts = version.split(".")[:2]
    if len(parts) < 2 or not all(map(str.isdecimal, parts)):
        return None
    release = (int(parts[0]), int(parts[1]))
    if release >= NEWEST_KNOWN:
        return None
    older = [first for first in NEWEST_WITH_WHEELS if first <= release]
    if not older:
        return None
    return NEWEST_WITH_WHEELS[max(older)]
