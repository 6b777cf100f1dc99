"""Start an image on a read-only file system and get its first answer."""

from __future__ import annotations

from benchmark import images
from benchmark.measuring import Row, median
from benchmark.workbench import Workbench


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    images.require("mmdebstrap", "podman", "runc", "skopeo")
    images.build(bench, bench.captured)
    images.load(bench)
    times = [images.timed_start(bench) for _ in range(bench.pairs)]
    return Row(
        name="image, start to first answer",
        target="CPU <= 1.4 s",
        met=median(times, "cpu") <= 1.4,
        envkit=times,
        note="podman and runc, read-only, no rights",
    )
