"""Until when each Python is supported, from `python_releases.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

MAJOR = 3
FIRST_YEAR = 2010  # the first alpha of 3.N comes in this year plus N


@dataclass(frozen=True, kw_only=True, slots=True)
class EndOfLife:
    """The last day of support of a Python, and the PEP that sets it."""

    day: date
    source: str


def end_of_life(version: str) -> EndOfLife | None:
    """Give the end of life of a version's minor version; None if it is unknown."""
    return _table().get(".".join(version.split(".")[:2]))


def is_released(version: str, day: date) -> bool:
    """Whether such a Python can exist on a day.

    A minor version comes each October (PEP 602), its first alpha a year earlier. Every version of
    the table exists, and so does what is not a version, as far as this can say.
    """
    major, minor, *_ = (*version.split("."), "")
    if not (major.isdecimal() and minor.isdecimal()) or f"{major}.{minor}" in _table():
        return True
    return int(major) == MAJOR and FIRST_YEAR + int(minor) <= day.year


@cache
def _table() -> dict[str, EndOfLife]:
    content = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        name: EndOfLife(day=entry["date"], source=entry["source"])
        for name, entry in content["end-of-life"].items()
    }
