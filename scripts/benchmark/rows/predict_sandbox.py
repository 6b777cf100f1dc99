"""Predict in the sandbox, against predicting without it."""

from __future__ import annotations

from benchmark.measuring import Row, median
from benchmark.workbench import Workbench


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    bench.rebuilt_python  # noqa: B018 - builds it
    words = ("predict", "-i", bench.request, bench.captured)
    mine, theirs = bench.side_by_side(
        lambda: bench.timed(bench.envkit, *words, "--require-sandbox"),
        lambda: bench.timed(bench.envkit, *words),
    )
    allowed = median(theirs, "wall") + 0.15
    return Row(
        name="predict --sandbox : predict",
        target=f"wall <= predict + 0.15 s = {allowed:.2f} s",
        met=median(mine, "wall") <= allowed,
        envkit=mine,
        other=theirs,
        note="bubblewrap",
    )
