"""Exchange models with MLflow: `python -m tests.flavors.with_mlflow FLAVOR OURS THEIRS ANSWERS`.

For each case of the flavor: MLflow loads what lies in OURS/INDEX, as the library's own and as a
function, and saves its own into THEIRS/INDEX. ANSWERS is the file that gets, by case, what MLflow
answers with each, or the traceback.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.flavors.case import Case, cases_of

MODULES = {
    "python_function": "pyfunc"
}  # where the module of MLflow has another name than the flavor


def main(flavor: str, ours: str, theirs: str, answers: str) -> None:
    module = import_module(f"mlflow.{MODULES.get(flavor, flavor)}")
    found = {}
    for index, case in enumerate(cases_of(flavor)):
        found[case.name] = {
            "ours": _tried(_loaded, module, case, Path(ours, str(index)))
            if case.loaded_by_mlflow
            else None,
            "theirs": _tried(_saved, module, case, Path(theirs, str(index)))
            if case.saved_by_mlflow
            else None,
        }
    Path(answers).write_text(json.dumps(found), encoding="utf-8")


def _loaded(module: Any, case: Case, folder: Path) -> Any:
    answer = case.answer(import_module("mlflow.pyfunc").load_model(str(folder)))
    module.load_model(str(folder))  # h2o needs its server, which was started above
    return answer


def _saved(module: Any, case: Case, folder: Path) -> Any:
    case.save(module, folder, {"pip_requirements": [], **case.options, **case.mlflow})
    return case.answer(import_module("mlflow.pyfunc").load_model(str(folder)))


def _tried(
    action: Callable[[Any, Case, Path], Any], module: Any, case: Case, folder: Path
) -> dict[str, Any]:
    try:
        return {"answer": action(module, case, folder)}
    except Exception:  # noqa: BLE001 - whatever it is, the test shows it
        return {"error": traceback.format_exc()}


if __name__ == "__main__":
    main(*sys.argv[1:])
