"""Two answers of a model, as JSON values, compared column by column.

A column is the key of a record, or the place in a row; without either, the answer as a whole. NaN
and other missing values are null, so that NaN equals NaN; texts and truth values are equal or not;
numbers may differ within a tolerance.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from envkit.validating.options import Tolerance

SHOWN = 60  # characters of a value
SHAPES_SHOWN = 3
# two whole numbers that are equal as floats differ all the same
SMALLEST = 5e-324


@dataclass(kw_only=True, slots=True)
class ColumnDifference:
    """What differs in one column, empty for the whole answer.

    worst: the largest difference, or the first that cannot be measured. shapes: differences of
    form.
    """

    column: str
    compared: int = 0
    different: int = 0
    largest: float = -1.0
    worst: str = ""
    shapes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """One sentence without a full stop."""
        name = f"column `{self.column}`" if self.column else "the answer"
        parts = self.shapes[:SHAPES_SHOWN]
        if self.different:
            parts.append(f"{self.different} of {self.compared} values differ: {self.worst}")
        return f"{name}: {'; '.join(parts)}"

    def add(self, leaf: _Leaf, tolerance: Tolerance) -> None:
        """Compare one pair of values."""
        if leaf.shape:
            row = f" in row {leaf.row}" if leaf.row else ""
            self.shapes.append(f"{leaf.shape}{row}")
            return
        self.compared += 1
        distance = _distance(leaf.recorded, leaf.answered)
        relative, absolute = tolerance.of(self.column)
        if distance == 0.0:
            return
        if distance is not None and distance <= absolute + relative * abs(leaf.recorded):
            return
        self.different += 1
        size = float("inf") if distance is None else distance
        if size > self.largest:
            self.largest = size
            self.worst = _description(leaf, distance)


class _Leaf(NamedTuple):
    """A single value on either side; shape: what differs in form, then there are no values."""

    column: str
    row: str
    recorded: Any = None
    answered: Any = None
    shape: str = ""


def compare(recorded: Any, answered: Any, tolerance: Tolerance) -> tuple[ColumnDifference, ...]:
    """Give the columns that differ, in their order; nothing for equal answers."""
    columns: dict[str, ColumnDifference] = {}
    for leaf in _leaves(recorded, answered, "", ""):
        column = columns.setdefault(leaf.column, ColumnDifference(column=leaf.column))
        column.add(leaf, tolerance)
    return tuple(each for each in columns.values() if each.different or each.shapes)


def _leaves(recorded: Any, answered: Any, column: str, row: str) -> Iterator[_Leaf]:
    if isinstance(recorded, dict) and isinstance(answered, dict):
        yield from _leaves_of_records(recorded, answered, column, row)
    elif isinstance(recorded, list) and isinstance(answered, list):
        yield from _leaves_of_lists(recorded, answered, column, row)
    else:
        yield _Leaf(column, row, recorded, answered)


def _leaves_of_records(
    recorded: dict[Any, Any], answered: dict[Any, Any], column: str, row: str
) -> Iterator[_Leaf]:
    for key in dict.fromkeys((*recorded, *answered)):
        name = f"{column}.{key}" if column else str(key)
        if key not in answered:
            yield _Leaf(name, row, shape="was recorded and is missing")
        elif key not in recorded:
            yield _Leaf(name, row, shape="was not recorded")
        else:
            yield from _leaves(recorded[key], answered[key], name, row)


def _leaves_of_lists(
    recorded: list[Any], answered: list[Any], column: str, row: str
) -> Iterator[_Leaf]:
    if len(recorded) != len(answered):
        shape = f"{len(recorded)} values were recorded, the answer has {len(answered)}"
        yield _Leaf(column, row, shape=shape)
    for number, (left, right) in enumerate(zip(recorded, answered, strict=False)):
        # the outermost list holds the rows
        if row:
            yield from _leaves(left, right, f"{column}[{number}]", row)
        else:
            yield from _leaves(left, right, column, str(number))


def _distance(recorded: Any, answered: Any) -> float | None:
    """How far two values are apart; None where they differ and cannot be measured."""
    if not (_is_number(recorded) and _is_number(answered)):
        equal = type(recorded) is type(answered) and recorded == answered
        return 0.0 if equal else None
    if recorded == answered:
        return 0.0
    try:
        return abs(float(recorded) - float(answered)) or SMALLEST
    except OverflowError:
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _description(leaf: _Leaf, distance: float | None) -> str:
    place = f"row {leaf.row}: " if leaf.row else ""
    values = f"{_shown(leaf.recorded)} was recorded, the answer is {_shown(leaf.answered)}"
    if distance is None:
        return f"{place}{values}"
    size = f"difference {distance:.3g}"
    if leaf.recorded:
        size += f", relative {distance / abs(leaf.recorded):.3g}"
    return f"{place}{values} ({size})"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}…"
