"""Predict in an environment that exists, against the same by its bare interpreter."""

from __future__ import annotations

from benchmark.measuring import Row, median
from benchmark.workbench import Workbench


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    python = bench.rebuilt_python
    mine, theirs = bench.side_by_side(
        lambda: bench.timed(bench.envkit, "predict", "-i", bench.request, bench.captured),
        lambda: bench.timed_bare_prediction(python),
    )
    allowed = median(theirs, "wall") + 0.3
    return Row(
        name="predict, warm : bare load + predict",
        target=f"wall <= bare + 0.3 s = {allowed:.2f} s",
        met=median(mine, "wall") <= allowed,
        envkit=mine,
        other=theirs,
    )
