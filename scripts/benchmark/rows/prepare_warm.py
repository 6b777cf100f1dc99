"""Prepare an environment that exists, against an interpreter that does nothing."""

from __future__ import annotations

from benchmark.measuring import Row, median
from benchmark.workbench import Workbench, count_files


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    files = count_files(bench.rebuilt_python)
    mine, theirs = bench.side_by_side(
        lambda: bench.timed(bench.envkit, "prepare-env", bench.captured),
        bench.timed_empty_process,
    )
    return Row(
        name="prepare-env, warm : python -c pass",
        target="wall <= 0.2 s",
        met=median(mine, "wall") <= 0.2,
        envkit=mine,
        other=theirs,
        note=f"{files} files are checked",
    )
