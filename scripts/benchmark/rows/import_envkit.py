"""`import envkit`, against an interpreter that does nothing."""

from __future__ import annotations

import sys

from benchmark.measuring import Row
from benchmark.workbench import Workbench

NEW_MODULES = """
import sys
before = set(sys.modules)
import envkit
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    imported = set(bench.run(bench.python, "-c", NEW_MODULES).split())
    foreign = sorted(imported - {"envkit"} - set(sys.stdlib_module_names))
    mine, theirs = bench.side_by_side(
        lambda: bench.timed(bench.python, "-c", "import envkit"), bench.timed_empty_process
    )
    return Row(
        name="import envkit : python -c pass",
        target="imports no third-party package",
        met=not foreign,
        envkit=mine,
        other=theirs,
        note=f"imports {', '.join(foreign)}" if foreign else "",
    )
