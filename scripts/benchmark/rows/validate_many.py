"""Validate a thousand models in two processes, against one model of as many requirements."""

from __future__ import annotations

from benchmark.measuring import Row, median
from benchmark.pinned_model import write_pinned_model
from benchmark.workbench import Workbench

MODELS = 1000


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    folder = bench.folder / "many"
    models = [write_pinned_model(folder / f"{number:04}", 20) for number in range(MODELS)]
    pairs = min(bench.pairs, 3)
    mine = []
    theirs = []
    # Without a first run that does not count: a thousand models take long, and their files are in
    # the page cache.
    for _ in range(pairs):
        mine.append(bench.timed(bench.envkit, "validate", "-j", "2", *models))
        theirs.append(bench.timed(bench.envkit, "validate", models[0]))
    milliseconds = 1000 * median(mine, "wall") / MODELS
    return Row(
        name="validate -j 2, files and code, 1,000 models : one model",
        target="none; wall for each model in the note",
        envkit=mine,
        other=theirs,
        note=f"{milliseconds:.1f} ms for each model",
    )
