"""Validate a model's files and code, against an interpreter that does nothing."""

from __future__ import annotations

from benchmark.measuring import Row, median
from benchmark.pinned_model import write_pinned_model
from benchmark.workbench import Workbench


def measure(bench: Workbench, *, requirements: int) -> Row:
    """Measure the row of a model with this many requirements."""
    model = write_pinned_model(bench.folder / f"requirements-{requirements}", requirements)
    mine, theirs = bench.side_by_side(
        lambda: bench.timed(bench.envkit, "validate", model), bench.timed_empty_process
    )
    return Row(
        name=f"validate, files and code, {requirements} requirements : python -c pass",
        target="wall <= 2 s",
        met=median(mine, "wall") <= 2,
        envkit=mine,
        other=theirs,
    )
