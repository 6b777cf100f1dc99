"""Prepare a large environment that exists, MLflow's own, against an empty interpreter run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from benchmark.measuring import Row, median
from benchmark.workbench import MODEL_PACKAGES, Workbench, count_files


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    model = bench.folder / "large"
    shutil.copytree(bench.model, model, dirs_exist_ok=True)
    requirements = [*MODEL_PACKAGES, "mlflow==3.17.2"]
    (model / "requirements.txt").write_text("\n".join(requirements) + "\n")
    facts = json.loads(bench.run(bench.envkit, "prepare-env", "--json", model))
    files = count_files(Path(facts["python"]))
    mine, theirs = bench.side_by_side(
        lambda: bench.timed(bench.envkit, "prepare-env", model), bench.timed_empty_process
    )
    return Row(
        name="prepare-env, warm, large environment : python -c pass",
        target="wall <= 0.2 s",
        met=median(mine, "wall") <= 0.2,
        envkit=mine,
        other=theirs,
        note=f"{files} files are checked",
    )
