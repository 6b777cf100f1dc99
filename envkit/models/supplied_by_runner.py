"""Parts of MLflow and of envkit that a model may ask for without having them installed; the runner supplies them."""

from __future__ import annotations

from envkit.inside.author.fake_mlflow import ENVKIT, MLFLOW

DISTRIBUTIONS = ("mlflow", "mlflow-skinny", "mlflow-tracing")
PACKAGE = "mlflow"
_MODULES = {**MLFLOW, **ENVKIT}


def is_supplied(dotted: str) -> bool:
    """Whether a module, or a name in one, such as `mlflow.pyfunc.PythonModel`, is supplied; or a part of that."""
    module, *parts = dotted.split(".")
    if module not in _MODULES:
        return False
    for part in parts:
        if part in _MODULES[module]:
            return True
        module = f"{module}.{part}"
        if module not in _MODULES:
            return False
    return True
