"""In place of `mlflow.pmdarima`: a pickled forecaster, which is asked with one row that says how far."""

from __future__ import annotations

import os
import pickle
from importlib import import_module
from typing import Any, Mapping

from .native import Native, only_row


class Forecaster(Native):
    """What `mlflow.pyfunc` calls: gives `yhat`, with its bounds when `return_conf_int` is asked for."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Forecast `n_periods`, with the regressors `X` and the level `alpha` when the row has them."""
        asked = only_row(data, "a forecaster of pmdarima")
        periods = asked.get("n_periods")
        if not isinstance(periods, int) or periods < 1:
            raise ValueError(
                f"the column n_periods says how many periods to forecast, a number above 0: {periods!r}"
            )
        interval = bool(asked.get("return_conf_int", False))
        options = {"return_conf_int": interval, "alpha": asked.get("alpha", 0.05)}
        found = self.model.predict(n_periods=periods, X=asked.get("X"), **options)
        frame = import_module("pandas").DataFrame
        if not interval:
            return frame.from_dict({"yhat": found})
        low, high = zip(*found[1])  # noqa: B905 - Python 3.8
        return frame.from_dict({"yhat": found[0], "yhat_lower": low, "yhat_upper": high})


def load(path: str, request: Mapping[str, Any]) -> Forecaster:  # noqa: ARG001 - as the other loaders
    """Load the forecaster."""
    return Forecaster(load_native(request["model"], request["flavors"]["pmdarima"]))


def load_native(folder: str, flavor: Mapping[str, Any]) -> Any:
    """Give the forecaster of a model directory."""
    with open(os.path.join(folder, flavor.get("data", "model.pmd")), "rb") as stream:
        return pickle.load(stream)
