"""Capture a model, against loading it and predicting in the same interpreter."""

from __future__ import annotations

from benchmark.measuring import Row, median
from benchmark.workbench import Workbench


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    bench.captured  # noqa: B018 - fills the cache of package metadata
    mine, theirs = bench.side_by_side(
        bench.timed_capture, lambda: bench.timed_bare_prediction(bench.model_python)
    )
    allowed = 1.10 * median(theirs, "cpu") + 0.2
    return Row(
        name="capture : bare load + predict",
        target=f"CPU <= 1.10 x bare + 0.2 s = {allowed:.2f} s",
        met=median(mine, "cpu") <= allowed,
        envkit=mine,
        other=theirs,
    )
