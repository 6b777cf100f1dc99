"""Check an environment's files against the records of what was installed in it.

The records are the RECORD files of the installed distributions
(https://packaging.python.org/en/latest/specifications/recording-installed-packages/). Sizes are compared, not
digests: 21,000 files take 0.2 s so and 6 s otherwise.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path


def problems(environment: Path) -> Iterator[str]:
    """Yield what is wrong with the files installed in a virtual environment, a sentence each."""
    for folder in sorted(
        {Path(os.path.realpath(each)) for each in environment.glob("lib*/python*/site-packages")}
    ):
        for info in sorted(folder.glob("*.dist-info")):
            yield from _distribution(folder, info)


def _distribution(site_packages: Path, info: Path) -> Iterator[str]:
    try:
        text = (info / "RECORD").read_text(encoding="utf-8")
    except OSError:
        yield f"{info.name} has no RECORD"
        return
    for row in csv.reader(text.splitlines()):
        if len(row) == 3 and not row[0].endswith(".pyc"):
            yield from _file(site_packages, row[0], row[2])


def _file(site_packages: Path, path: str, size: str) -> Iterator[str]:
    try:
        found = os.stat(os.path.join(site_packages, path)).st_size  # noqa: PTH116, PTH118 - 20,000 files, twice as fast
    except OSError:
        yield f"{path} is missing"
        return
    if size and found != int(size):
        yield f"{path} has {found} bytes, its record says {size}"
