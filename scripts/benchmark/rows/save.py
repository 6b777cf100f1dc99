"""Save a scikit-learn model with an example, against MLflow's function of the same name."""

from __future__ import annotations

import itertools
from pathlib import Path

from benchmark.measuring import Row, Time, median
from benchmark.workbench import Workbench

PROGRAM = """
import sys
import pandas as pd
from sklearn.linear_model import LinearRegression
from {package} import save_model
frame = pd.DataFrame({{"a": [1.0, 2.0, 3.0], "b": [3.0, 4.0, 6.0]}})
save_model(LinearRegression().fit(frame, [1.0, 2.0, 3.0]), sys.argv[1], input_example=frame)
"""


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    mlflow_python = bench.required_mlflow_python
    numbers = itertools.count()

    def save(python: Path, package: str) -> Time:
        folder = bench.folder / f"saved-{next(numbers)}"
        return bench.timed(python, "-c", PROGRAM.format(package=package), folder)

    def mine() -> Time:
        return save(bench.python, "envkit.flavors.sklearn")

    mine()  # fills the cache of package metadata
    left, right = bench.side_by_side(mine, lambda: save(mlflow_python, "mlflow.sklearn"))
    return Row(
        name="save_model : MLflow save_model",
        target="no longer than MLflow's (ratio <= 1)",
        met=median(left, "wall") <= median(right, "wall"),
        envkit=left,
        other=right,
        note="both are whole processes: import, save, infer the requirements; envkit also locks "
        "them with hashes",
    )
