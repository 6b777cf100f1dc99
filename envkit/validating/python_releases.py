"""Until when each Python is supported, from `python_releases.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class EndOfLife:
    """The last day of support of a Python, and the PEP that lays it down."""

    day: date
    source: str


def end_of_life(version: str) -> EndOfLife | None:
    """Give the end of life of the minor version that a full one belongs to; None for one that is not known."""
    return _table().get(".".join(version.split(".")[:2]))


@cache
def _table() -> dict[str, EndOfLife]:
    content = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {name: EndOfLife(day=each["date"], source=each["source"]) for name, each in content["end-of-life"].items()}
