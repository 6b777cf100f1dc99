"""Find the distributions of 300 modules where 500 distributions are installed, against 20."""

from __future__ import annotations

from pathlib import Path

from benchmark.measuring import Row, Time, median
from benchmark.workbench import Workbench

PROGRAM = """
import sys, time
from envkit.installed.distributions import InstalledDistributions
site, imported = sys.argv[1], int(sys.argv[2])
files = [f"{site}/package_{n:03}/module_{m:02}.py" for n in range(imported) for m in range(30)]
cpu, started = time.process_time(), time.perf_counter()
installed = InstalledDistributions([site])
assert all(installed.owner(file) for file in files)
print(time.perf_counter() - started, time.process_time() - cpu)
"""


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    sites = {count: _write_site(bench.folder / f"site-{count}", count) for count in (500, 20)}

    def map_modules(count: int) -> Time:
        output = bench.run(bench.python, "-c", PROGRAM, sites[count], "10")
        wall, cpu = output.split()
        return Time(float(wall), float(cpu))

    mine, theirs = bench.side_by_side(lambda: map_modules(500), lambda: map_modules(20))
    return Row(
        name="mapping 300 modules, 500 distributions installed : 20",
        target="CPU <= 0.1 s",
        met=median(mine, "cpu") <= 0.1,
        envkit=mine,
        other=theirs,
        note="30 modules each of 10 distributions, without the start of the process",
    )


def _write_site(folder: Path, count: int) -> Path:
    """Write a site folder of this many distributions, each of which records a hundred modules."""
    for number in range(count):
        name = f"package_{number:03}"
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        (info / "METADATA").write_text(metadata)
        record = [f"{name}/module_{module:02}.py,sha256={'a' * 43},100" for module in range(100)]
        record += [f"{info.name}/METADATA,,", f"{info.name}/RECORD,,"]
        (info / "RECORD").write_text("\n".join(record) + "\n")
    return folder
