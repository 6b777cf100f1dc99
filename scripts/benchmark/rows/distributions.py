"""Count the distributions of the rebuilt environment, against those that MLflow installs."""

from __future__ import annotations

import json
from pathlib import Path

from benchmark.measuring import Row
from benchmark.workbench import Workbench

COUNT = "from importlib.metadata import distributions; print(len(list(distributions())))"

# Of MLflow 3.17.2's environment of a scikit-learn model.
INSTALLED_BY_MLFLOW = 91


def measure(bench: Workbench) -> Row:
    """Count them."""
    count = int(bench.run(bench.rebuilt_python, "-c", COUNT))
    capture: list[str | Path] = [
        bench.envkit,
        "capture",
        "--dry-run",
        "--json",
        "--python",
        bench.model_python,
    ]
    facts = json.loads(bench.run(*capture, bench.model))
    closure = len(facts["requirements"]) + len(facts["constraints"])
    ratio = count / INSTALLED_BY_MLFLOW
    return Row(
        name="distributions in the rebuilt environment",
        target="the model's closure and nothing else",
        met=count == closure,
        note=f"{count}; the closure has {closure}, MLflow installs {INSTALLED_BY_MLFLOW}: ratio "
        f"{ratio:.2f}",
    )
