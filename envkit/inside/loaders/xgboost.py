"""Stands in for `mlflow.xgboost`: a booster, or a model with scikit-learn's interface.

Needs: xgboost; scikit-learn for models with its interface.
Returns: what the model's own `predict` returns.
"""

from __future__ import annotations

import inspect
import os
from importlib import import_module
from typing import Any, Callable, Mapping

from ..request import Flavor, Request
from .native import NativeModel

BOOSTER = "xgboost.core.Booster"
ANY_ARGUMENTS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class XGBoostModel(NativeModel):
    """What `mlflow.pyfunc` calls."""

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict with those of `params` that the model's own `predict` takes.

        A booster gets a `DMatrix`.
        """
        xgboost = import_module("xgboost")
        predict = self.model.predict
        options = _accepted(predict, params or {})
        is_booster = isinstance(self.model, xgboost.Booster)
        if is_booster:
            data = matrix_of(data)
        if is_booster or isinstance(self.model, xgboost.XGBModel):
            options.setdefault("validate_features", True)
        return predict(data, **options)


def matrix_of(data: Any) -> Any:
    """Make what a booster predicts on; a data frame with categories needs to be allowed them."""
    options = {}
    if any(str(dtype) == "category" for dtype in getattr(data, "dtypes", ())):
        options["enable_categorical"] = True
    return import_module("xgboost").DMatrix(data, **options)


def load(path: str, request: Request) -> XGBoostModel:
    """Load the model."""
    folder = os.path.dirname(path) if os.path.isfile(path) else path
    return XGBoostModel(load_native(folder, request["flavors"]["xgboost"]))


def load_native(folder: str, flavor: Flavor) -> Any:
    """Load the model of a model directory.

    Without `model_class` (MLflow before 1.22) it is a booster.
    """
    module, _, name = flavor.get("model_class", BOOSTER).rpartition(".")
    if module == "xgboost.sklearn":
        import_module("sklearn")  # XGBoost tries to import it, and has these models only then
    model = getattr(import_module(module), name)()
    model.load_model(os.path.join(folder, flavor["data"]))
    return model


def _accepted(function: Callable[..., Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Give the parameters that a function takes."""
    parameters = inspect.signature(function).parameters
    kinds = {parameter.kind for parameter in parameters.values()}
    if not kinds.isdisjoint(ANY_ARGUMENTS):
        return dict(params)
    return {name: value for name, value in params.items() if name in parameters}
