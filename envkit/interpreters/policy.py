"""How far an interpreter may be from the version that a model names."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum


class PythonPolicy(StrEnum):
    """Which interpreter may stand in for the version that a model names (`--python-policy`).

    EXACT: no other. MINOR: another patch version, `3.11.9` for `3.11.7`. COMPATIBLE: also another
    minor version, the nearest, unless a locked package excludes it; where the lock does not say,
    the installer finds out.
    """

    EXACT = "exact"
    MINOR = "minor"
    COMPATIBLE = "compatible"


# envkit's runner needs 3.8; each version that does not exist costs a look at some paths
_MINORS = range(8, 41)


def nearest_minors(minor: str) -> Iterator[str]:
    """Yield the other minor versions, the nearest first, of two equally near ones the newer."""
    own = int(minor.partition(".")[2] or 0)
    by_distance = sorted(_MINORS, key=lambda other: (abs(other - own), -other))
    for other in by_distance:
        if other != own:
            yield f"3.{other}"
