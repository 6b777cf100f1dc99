"""How far an interpreter may be from the version that a model names."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum


class PythonPolicy(StrEnum):
    """Which interpreter may take the place of the version that a model names; the values of `--python-policy`.

    EXACT: none. MINOR: another patch version, `3.11.9` for `3.11.7`. COMPATIBLE: also another minor
    version, the nearest, unless a locked package refuses it; what the lock does not tell, the
    installer finds out.
    """

    EXACT = "exact"
    MINOR = "minor"
    COMPATIBLE = "compatible"


# what envkit runs in begins with 3.8; what is not there costs a look at a path
_MINORS = range(8, 41)


def nearest_minors(minor: str) -> Iterator[str]:
    """Yield the other minor versions, the nearest first, the newer of two equally near ones before the older."""
    own = int(minor.partition(".")[2] or 0)
    for each in sorted(_MINORS, key=lambda other: (abs(other - own), -other)):
        if each != own:
            yield f"3.{each}"
