"""Until when each Python is supported, from `python_releases.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

_MAJOR = 3
_BEGUN = 2010  # plus N: the year in which 3.N is begun (3.15: 2025)


@dataclass(frozen=True, kw_only=True, slots=True)
class EndOfLife:
    """The last day of support of a Python, and the PEP that lays it down."""

    day: date
    source: str


def end_of_life(version: str) -> EndOfLife | None:
    """Give the end of life of the minor version that a full one belongs to; None for one that is not known."""
    return _table().get(".".join(version.split(".")[:2]))


def is_released(version: str, day: date) -> bool:
    """Whether there can be such a Python: a minor version comes each October (PEP 602), its first alpha a year before.

    Any that the table knows is one; so is what is no version, as far as this can tell.
    """
    major, minor, *_ = (*version.split("."), "")
    if not (major.isdecimal() and minor.isdecimal()) or f"{major}.{minor}" in _table():
        return True
    return int(major) == _MAJOR and int(minor) + _BEGUN <= day.year


@cache
def _table() -> dict[str, EndOfLife]:
    content = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        name: EndOfLife(day=each["date"], source=each["source"])
        for name, each in content["end-of-life"].items()
    }
