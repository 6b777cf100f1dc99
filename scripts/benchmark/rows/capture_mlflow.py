"""Capture a model, against MLflow's inference of its requirements."""

from __future__ import annotations

from benchmark.measuring import Row, median
from benchmark.workbench import Workbench

INFERENCE = """
import sys
import mlflow
mlflow.models.infer_pip_requirements(sys.argv[1], "sklearn")
"""


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    python = bench.required_mlflow_python
    bench.run(python, "-c", "import mlflow, pandas, sklearn")
    mine, theirs = bench.side_by_side(
        bench.timed_capture, lambda: bench.timed(python, "-c", INFERENCE, bench.model)
    )
    return Row(
        name="capture : MLflow infer_pip_requirements",
        target="CPU of MLflow's >= 2.5 x envkit's (ratio <= 0.40)",
        met=median(mine, "cpu") * 2.5 <= median(theirs, "cpu"),
        envkit=mine,
        other=theirs,
        note="both are whole processes: import, inference with its child processes, exit",
    )
