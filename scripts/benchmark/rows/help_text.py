"""`envkit --help`, against an interpreter that does nothing."""

from __future__ import annotations

from benchmark.measuring import Row, median
from benchmark.workbench import Workbench


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    mine, theirs = bench.side_by_side(
        lambda: bench.timed(bench.envkit, "--help"), bench.timed_empty_process
    )
    allowed = 0.12 / 0.02 * median(theirs, "wall")
    return Row(
        name="envkit --help : python -c pass",
        target=f"wall <= 0.12 s where python -c pass takes 0.02 = {allowed:.3f} s",
        met=median(mine, "wall") <= allowed,
        envkit=mine,
        other=theirs,
    )
