"""In place of `mlflow.statsmodels`: pickled results of a fit."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from .native import Native, only_row


class Results(Native):
    """What `mlflow.pyfunc` calls; a time series is asked with one row of `start` and `end`."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Predict."""
        series = import_module("statsmodels.tsa.base.tsa_model").TimeSeriesModel
        if not isinstance(self.model.model, series):
            return self.model.predict(data)
        span = only_row(data, "a time series of statsmodels")
        if "start" not in span or "end" not in span:
            raise ValueError(
                "a time series of statsmodels takes a data frame with the columns start and end"
            )
        return self.model.predict(start=span["start"], end=span["end"])


def load(path: str, request: Mapping[str, Any]) -> Results:  # noqa: ARG001 - as the other loaders
    """Load the results."""
    return Results(load_native(request["model"], request["flavors"]["statsmodels"]))


def load_native(folder: str, flavor: Mapping[str, Any]) -> Any:
    """Give the results of a model directory."""
    path = os.path.join(folder, flavor.get("data", "model.statsmodels"))
    return import_module("statsmodels.iolib.smpickle").load_pickle(path)
