"""In place of `mlflow.diviner`: one forecaster a group, asked with one row that says how far."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from .native import Native, only_row

_OF_REQUEST = ("n_periods", "horizon", "frequency", "groups")


class GroupedForecaster(Native):
    """What `mlflow.pyfunc` calls."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Forecast `n_periods` (or `horizon`) for all groups or for `groups`; Prophet needs a `frequency`."""
        asked = only_row(data, "a model of diviner")
        periods = _periods(asked)
        if asked.get("groups"):
            groups = [tuple(group) for group in asked["groups"]]
        else:
            groups = None
        if isinstance(self.model, import_module("diviner").GroupedProphet):
            return self._of_prophet(asked, periods, groups)
        rest = {key: value for key, value in asked.items() if key not in _OF_REQUEST}
        if groups:
            return self.model.predict_groups(groups=groups, n_periods=periods, **rest)
        return self.model.predict(n_periods=periods, **rest)

    def _of_prophet(self, asked: Mapping[str, Any], periods: int, groups: Any) -> Any:
        if not asked.get("frequency"):
            raise ValueError(
                "the column frequency says how far apart the periods are, as in pandas' date_range"
            )
        times = {"horizon": periods, "frequency": asked["frequency"]}
        column = asked.get("predict_col")
        if not groups:
            found = self.model.forecast(**times)
        else:
            options = {key: asked[key] for key in ("predict_col", "on_error") if key in asked}
            found = self.model.predict_groups(groups=groups, **times, **options)
        if column is not None:
            return found.rename(columns={"yhat": column})
        return found


def load(path: str, request: Mapping[str, Any]) -> GroupedForecaster:  # noqa: ARG001 - as the other loaders
    """Load the model. Raises `ValueError` for one that was fitted by Spark, as MLflow does."""
    flavor = request["flavors"]["diviner"]
    if flavor.get("fit_with_spark"):
        raise ValueError(
            "a model of diviner that was fitted by Spark can only be loaded as what it is, not to predict"
        )
    return GroupedForecaster(load_native(request["model"], flavor))


def load_native(folder: str, flavor: Mapping[str, Any]) -> Any:
    """Give the model of a model directory."""
    kind = getattr(import_module("diviner"), flavor["model_type"])
    return kind.load(os.path.join(folder, flavor.get("data", "model.div")))


def _periods(asked: Mapping[str, Any]) -> int:
    periods, horizon = asked.get("n_periods"), asked.get("horizon")
    if periods and horizon and periods != horizon:
        raise ValueError(
            f"n_periods ({periods}) and horizon ({horizon}) are two names of the same number"
        )
    periods = periods or horizon
    if not isinstance(periods, int) or periods < 1:
        raise ValueError(
            f"the column n_periods or horizon says how many periods to forecast: {periods!r}"
        )
    return periods
