"""The part of MLflow that a model may ask for without having it installed; the runner supplies it."""

from __future__ import annotations

from envkit.inside.surface import MLFLOW

DISTRIBUTIONS = ("mlflow", "mlflow-skinny", "mlflow-tracing")
PACKAGE = "mlflow"


def is_supplied(dotted: str) -> bool:
    """Whether a module, or a name in one, such as `mlflow.pyfunc.PythonModel`, is supplied; or a part of that."""
    module = PACKAGE
    for part in dotted.split(".")[1:]:
        if part in MLFLOW[module]:
            return True
        module = f"{module}.{part}"
        if module not in MLFLOW:
            return False
    return module in MLFLOW
