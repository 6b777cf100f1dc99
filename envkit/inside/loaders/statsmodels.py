"""Stands in for `mlflow.statsmodels`: pickled results of a fit.

Needs: statsmodels.
Takes: a data frame; for a time series one row with `start` and `end`.
Returns: what the results' own `predict` returns.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from ..pickles import refuse_if_forbidden
from ..request import Flavor, Request
from .native import NativeModel, only_row


class Results(NativeModel):
    """What `mlflow.pyfunc` calls."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow ignores them, too
        """Predict."""
        time_series = import_module("statsmodels.tsa.base.tsa_model").TimeSeriesModel
        if not isinstance(self.model.model, time_series):
            return self.model.predict(data)
        row = only_row(data, "a time series of statsmodels")
        if "start" not in row or "end" not in row:
            raise ValueError(
                "a time series of statsmodels takes a data frame with the columns `start` and `end`"
            )
        return self.model.predict(start=row["start"], end=row["end"])


def load(path: str, request: Request) -> Results:  # noqa: ARG001 - as the other loaders
    """Load the results."""
    return Results(load_native(request["model"], request["flavors"]["statsmodels"]))


def load_native(folder: str, flavor: Flavor) -> Any:
    """Load the results of a model directory."""
    path = os.path.join(folder, flavor.get("data", "model.statsmodels"))
    refuse_if_forbidden(path)
    return import_module("statsmodels.iolib.smpickle").load_pickle(path)
