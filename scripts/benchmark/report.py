"""Rows as a table and as JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict

from benchmark.measuring import Row, Time, median

HEADER = (
    "envkit : counterpart",
    "wall s",
    "CPU s",
    "ratio of wall",
    "ratio of CPU",
    "met",
    "target",
)
KINDS = ("wall", "cpu")
MET = {True: "yes", False: "NO", None: "-"}


def table(rows: Sequence[Row]) -> str:
    """Give the rows as a table, each with its note below."""
    cells = [HEADER, *(_cells(row) for row in rows)]
    notes = ["", *(row.note for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = []
    for line, note in zip(cells, notes, strict=True):
        padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        lines.append("  ".join(padded).rstrip())
        if note:
            lines.append(f"    {note}")
    return "\n".join(lines)


def as_json(rows: Sequence[Row]) -> str:
    """Give the rows with every single time."""
    facts = []
    for row in rows:
        ratios = {kind: row.ratios(kind) for kind in KINDS}
        facts.append({**asdict(row), "ratios": ratios})
    return json.dumps(facts, indent=2)


def _cells(row: Row) -> tuple[str, ...]:
    times = [_times(row, kind) for kind in KINDS]
    ratios = [_ratio(row, kind) for kind in KINDS]
    return (row.name, *times, *ratios, MET[row.met], row.target)


def _times(row: Row, kind: str) -> str:
    sides: list[Sequence[Time]] = [side for side in (row.envkit, row.other) if side]
    return " : ".join(f"{median(side, kind):.3f}" for side in sides) or "-"


def _ratio(row: Row, kind: str) -> str:
    ratios = row.ratios(kind)
    if not ratios:
        return "-"
    return f"{statistics.median(ratios):.2f} [{ratios[0]:.2f}..{ratios[-1]:.2f}]"
