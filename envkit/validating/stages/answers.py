"""Two answers of a model, as JSON values, compared column by column.

A column is the key of a record, or the place in a row; where there is neither, the answer as a
whole. In answers NaN and other missing values are null, so that NaN equals NaN; texts and truth
values are equal or not; numbers may differ within a tolerance.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from envkit.validating.options import Tolerance

WHOLE = ""
SHOWN = 60


@dataclass(kw_only=True, slots=True)
class ColumnDifference:
    """What differs in one column. worst: where and how, of the largest difference, or of the first that is none."""

    column: str
    compared: int = 0
    different: int = 0
    largest: float = -1.0
    worst: str = ""
    shapes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """One sentence without a full stop."""
        if self.column:
            name = f"column `{self.column}`"
        else:
            name = "the answer"
        if self.different:
            parts = [f"{self.different} of {self.compared} values differ: {self.worst}"]
        else:
            parts = []
        return f"{name}: {'; '.join([*self.shapes[:3], *parts])}"


def compare(recorded: Any, given: Any, tolerance: Tolerance) -> tuple[ColumnDifference, ...]:
    """Give what differs, by column, sorted by their first place; nothing when the answers are equal."""
    columns: dict[str, ColumnDifference] = {}
    for column, row, one, other in _leaves(recorded, given, WHOLE, ""):
        found = columns.setdefault(column, ColumnDifference(column=column))
        if isinstance(one, _Shape):
            found.shapes.append(f"{one}{f' in row {row}' if row else ''}")
        else:
            found.compared += 1
            _judge(found, row, one, other, tolerance.of(column))
    return tuple(each for each in columns.values() if each.different or each.shapes)


class _Shape(str):
    """What differs about the form of two answers."""

    __slots__ = ()


def _leaves(one: Any, other: Any, column: str, row: str) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield column, row and both values wherever there is a single value on either side."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys((*one, *other)):
            name = f"{column}.{key}" if column else str(key)
            if key not in one or key not in other:
                yield (
                    name,
                    row,
                    _Shape("was recorded and is missing" if key in one else "was not recorded"),
                    None,
                )
            else:
                yield from _leaves(one[key], other[key], name, row)
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            yield column, row, _Shape(f"{len(one)} values were recorded, {len(other)} came"), None
        for number, (left, right) in enumerate(zip(one, other, strict=False)):
            inner = row != ""
            yield from _leaves(
                left,
                right,
                f"{column}[{number}]" if inner else column,
                row if inner else str(number),
            )
    else:
        yield column, row, one, other


def _judge(
    found: ColumnDifference, row: str, one: Any, other: Any, limits: tuple[float, float]
) -> None:
    distance = _distance(one, other)
    if distance == 0.0 or (distance is not None and distance <= limits[1] + limits[0] * abs(one)):
        return
    found.different += 1
    place = f"row {row}: " if row else ""
    said = f"{place}{_shown(one)} was recorded, {_shown(other)} came"
    if distance is None:
        if found.largest != float("inf"):
            found.largest, found.worst = float("inf"), said
    elif distance > found.largest:
        if one:
            relative = f", relative {distance / abs(one):.3g}"
        else:
            relative = ""
        found.largest, found.worst = distance, f"{said} (difference {distance:.3g}{relative})"


def _distance(one: Any, other: Any) -> float | None:
    """How far two values are from each other; None where they differ and cannot be measured."""
    if isinstance(one, bool) or isinstance(other, bool) or not _numbers(one, other):
        if type(one) is type(other) and one == other:
            return 0.0
        return None
    if one == other:
        return 0.0
    try:
        # whole numbers too large for a float differ all the same
        return abs(float(one) - float(other)) or 5e-324
    except OverflowError:
        return None


def _numbers(one: Any, other: Any) -> bool:
    return isinstance(one, int | float) and isinstance(other, int | float)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}…"
