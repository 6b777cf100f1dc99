"""Times of runs, and rows of the table."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


class NotMeasured(Exception):
    """A row cannot be measured on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class Time:
    """The seconds of one run."""

    wall: float
    cpu: float

    def __add__(self, other: Time) -> Time:
        return Time(self.wall + other.wall, self.cpu + other.cpu)


Measure = Callable[[], Time]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A line of the table: runs of envkit and of its counterpart, and whether the target is met."""

    name: str
    target: str
    met: bool | None = None
    envkit: Sequence[Time] = ()
    other: Sequence[Time] = ()
    note: str = ""

    def ratios(self, kind: str) -> list[float]:
        """Give the ratio of each pair, smallest first; `kind` is "wall" or "cpu"."""
        ratios = []
        for mine, theirs in zip(self.envkit, self.other, strict=False):
            divisor = getattr(theirs, kind)
            if divisor:
                ratios.append(getattr(mine, kind) / divisor)
        return sorted(ratios)


def median(times: Sequence[Time], kind: str) -> float:
    """Give the median of "wall" or "cpu"."""
    return float(statistics.median(getattr(time, kind) for time in times))
