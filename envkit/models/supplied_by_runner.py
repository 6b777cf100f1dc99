"""Parts of MLflow and of envkit that the runner supplies to models that import them."""

from __future__ import annotations

from envkit.inside.author.fake_mlflow import ENVKIT, MLFLOW

DISTRIBUTIONS = ("mlflow", "mlflow-skinny", "mlflow-tracing")
PACKAGE = "mlflow"
_MODULES = {**MLFLOW, **ENVKIT}


def is_supplied(dotted: str) -> bool:
    """Return whether the runner supplies a module, a name in it or a member of that name.

    `mlflow.pyfunc.PythonModel` is one.
    """
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
