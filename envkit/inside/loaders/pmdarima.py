"""Stands in for `mlflow.pmdarima`: a pickled forecaster.

Needs: pmdarima, pandas.
Takes: a data frame with one row, which defines how far to forecast.
Returns: a data frame with `yhat`, and its bounds with `return_conf_int`.
"""

from __future__ import annotations

import os
import pickle
from importlib import import_module
from typing import Any

from ..pickles import refuse_if_forbidden
from ..request import Flavor, Request
from .native import NativeModel, only_row


class Forecaster(NativeModel):
    """What `mlflow.pyfunc` calls."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow ignores them, too
        """Forecast `n_periods`, with the regressors `X` and the level `alpha` of the row."""
        row = only_row(data, "a pmdarima forecaster")
        periods = row.get("n_periods")
        if not isinstance(periods, int) or periods < 1:
            raise ValueError(
                f"the column `n_periods` must be a number of periods above 0, not {periods!r}"
            )
        has_bounds = bool(row.get("return_conf_int", False))
        forecast = self.model.predict(
            n_periods=periods,
            X=row.get("X"),
            return_conf_int=has_bounds,
            alpha=row.get("alpha", 0.05),
        )
        frame = import_module("pandas").DataFrame
        if not has_bounds:
            return frame.from_dict({"yhat": forecast})
        values, bounds = forecast
        lower, upper = zip(*bounds)  # noqa: B905 - Python 3.8
        return frame.from_dict(
            {
                "yhat": values,
                "yhat_lower": lower,
                "yhat_upper": upper,
            }
        )


def load(path: str, request: Request) -> Forecaster:  # noqa: ARG001 - as the other loaders
    """Load the forecaster."""
    return Forecaster(load_native(request["model"], request["flavors"]["pmdarima"]))


def load_native(folder: str, flavor: Flavor) -> Any:
    """Load the forecaster of a model directory."""
    path = os.path.join(folder, flavor.get("data", "model.pmd"))
    refuse_if_forbidden(path)
    with open(path, "rb") as stream:
        return pickle.load(stream)
