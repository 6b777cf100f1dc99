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

MAX_SHOWN = 60  # characters of a value
MAX_SHAPES = 3
# two whole numbers that are equal as floats differ all the same
SMALLEST = 5e-324


class _Leaf(NamedTuple):
    """A single value on either side. shape: what differs in form; then there are no values."""

    column: str
    row: str
    recorded: Any = None
    answered: Any = None
    shape: str = ""


@dataclass(kw_only=True, slots=True)
class ColumnDifference:
    """What differs in one column, empty for the whole answer.

    worst: the largest difference, or the first that cannot be measured.
    shapes: differences of form.
    """

    column: str
    compared: int = 0
    different: int = 0
    largest: float = -1.0
    worst: str = ""
    shapes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.different or self.shapes)

    @property
    def text(self) -> str:
        """One sentence without a full stop."""
        name = f"column `{self.column}`" if self.column else "the answer"
        parts = self.shapes[:MAX_SHAPES]
        if self.different:
            counts = f"{self.different} of {self.compared} values differ"
            parts.append(f"{counts}: {self.worst}")
        return f"{name}: {'; '.join(parts)}"

    def add_shape(self, leaf: _Leaf) -> None:
        """Add a difference of form."""
        row = f" in row {leaf.row}" if leaf.row else ""
        self.shapes.append(f"{leaf.shape}{row}")

    def add_values(self, leaf: _Leaf, tolerance: Tolerance) -> None:
        """Compare one pair of values."""
        self.compared += 1
        distance = _distance(leaf.recorded, leaf.answered)
        if distance is None:
            size = float("inf")
        else:
            size = distance
            relative, absolute = tolerance.of(self.column)
            if size == 0 or size <= absolute + relative * abs(leaf.recorded):
                return
        self.different += 1
        if size > self.largest:
            self.largest = size
            self.worst = _description(leaf, distance)


def compare(recorded: Any, answered: Any, tolerance: Tolerance) -> tuple[ColumnDifference, ...]:
    """Give the columns that differ, in their order; nothing for equal answers."""
    columns: dict[str, ColumnDifference] = {}
    for leaf in _leaves(recorded, answered, "", ""):
        name = leaf.column
        if name not in columns:
            columns[name] = ColumnDifference(column=name)
        if leaf.shape:
            columns[name].add_shape(leaf)
        else:
            columns[name].add_values(leaf, tolerance)
    return tuple(filter(None, columns.values()))


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
        counts = f"{len(recorded)} values were recorded, the answer has {len(answered)}"
        yield _Leaf(column, row, shape=counts)
    pairs = zip(recorded, answered, strict=False)
    for number, (left, right) in enumerate(pairs):
        # the outermost list holds the rows
        if row:
            yield from _leaves(left, right, f"{column}[{number}]", row)
        else:
            yield from _leaves(left, right, column, str(number))


def _distance(recorded: Any, answered: Any) -> float | None:
    """How far two values are apart; None where they differ and cannot be measured."""
    if not _is_number(recorded) or not _is_number(answered):
        same_type = type(recorded) is type(answered)
        return 0.0 if same_type and recorded == answered else None
    if recorded == answered:
        return 0.0
    try:
        distance = abs(float(recorded) - float(answered))
    except OverflowError:
        return None
    return distance or SMALLEST


def _is_number(value: Any) -> bool:
    # True is an int
    return isinstance(value, int | float) and not isinstance(value, bool)


def _description(leaf: _Leaf, distance: float | None) -> str:
    text = f"{_shown(leaf.recorded)} was recorded, the answer is {_shown(leaf.answered)}"
    if leaf.row:
        text = f"row {leaf.row}: {text}"
    if distance is None:
        return text
    size = f"difference {distance:.3g}"
    if leaf.recorded:
        relative = distance / abs(leaf.recorded)
        size += f", relative {relative:.3g}"
    return f"{text} ({size})"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= MAX_SHOWN:
        return text
    return f"{text[:MAX_SHOWN]}…"
