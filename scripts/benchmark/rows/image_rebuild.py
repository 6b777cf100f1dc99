"""Build the image of a retrained model, whose environment has one already."""

from __future__ import annotations

import shutil

from benchmark import images
from benchmark.measuring import Row, Time, median
from benchmark.workbench import Workbench


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    images.require("mmdebstrap")
    bench.log("Building the first image")
    size = images.build(bench, bench.captured)
    retrained = bench.folder / "retrained"
    shutil.copytree(bench.captured, retrained)

    def rebuild(number: int) -> Time:
        (retrained / "note.txt").write_text(str(number))
        output = bench.folder / "image"
        return bench.timed(bench.envkit, "build-image", retrained, "-t", "a:1", "-o", output)

    times = [rebuild(number) for number in range(bench.pairs)]
    return Row(
        name="image, rebuilt after a new training",
        target=f"wall <= 1 s, compressed <= {images.LARGEST:.0f} MB",
        met=median(times, "wall") <= 1.0 and size <= images.LARGEST,
        envkit=times,
        note=f"{size:.1f} MB",
    )
