"""In place of `mlflow.xgboost`: a booster, or a model with scikit-learn's interface, in XGBoost's own formats."""

from __future__ import annotations

import inspect
import os
from importlib import import_module
from typing import Any, Callable, Mapping

from .native import Native


class XGBoostModel(Native):
    """What `mlflow.pyfunc` calls."""

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict with those of `params` that the model's own `predict` takes; a booster gets a `DMatrix`."""
        xgboost = import_module("xgboost")
        predict = self.model.predict
        accepted = _accepted(predict, params or {})
        if isinstance(self.model, xgboost.Booster):
            return predict(xgboost.DMatrix(data), **{"validate_features": True, **accepted})
        if isinstance(self.model, xgboost.XGBModel):
            return predict(data, **{"validate_features": True, **accepted})
        return predict(data, **accepted)


def load(path: str, request: Mapping[str, Any]) -> XGBoostModel:
    """Load the model."""
    folder = os.path.dirname(path) if os.path.isfile(path) else path
    return XGBoostModel(load_native(folder, request["flavors"]["xgboost"]))


def load_native(folder: str, flavor: Mapping[str, Any]) -> Any:
    """Give the model of a model directory; MLflow before 1.22 wrote no `model_class` and meant a booster."""
    module, _, name = flavor.get("model_class", "xgboost.core.Booster").rpartition(".")
    if module == "xgboost.sklearn":
        import_module("sklearn")  # XGBoost tries to import it and has these models only then
    model = getattr(import_module(module), name)()
    model.load_model(os.path.join(folder, flavor["data"]))
    return model


def _accepted(function: Callable[..., Any], params: Mapping[str, Any]) -> dict[str, Any]:
    known = inspect.signature(function).parameters
    if any(each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in known.values()):
        return dict(params)
    return {name: value for name, value in params.items() if name in known}
