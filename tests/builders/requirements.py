"""Requirements and options from lines, as the files of a model state them."""

from __future__ import annotations

from collections.abc import Iterable

from envkit.formats.requirement import Requirement
from envkit.formats.requirement_lines import Option, parse


def requirements(*lines: str) -> tuple[Requirement, ...]:
    return tuple(entry for line in lines for entry in parse(line) if isinstance(entry, Requirement))


def options(*lines: str) -> tuple[Option, ...]:
    return tuple(entry for line in lines for entry in parse(line) if isinstance(entry, Option))


def texts(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(map(str, values))
