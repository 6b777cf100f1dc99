"""Stands in for `mlflow.diviner`: a forecaster for each group of time series.

Needs: diviner, pandas; of its models that were not fitted by Spark.
Takes: a data frame with one row, which defines how far to forecast.
Returns: a data frame of forecasts.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from ..request import Flavor, Request
from .native import NativeModel, only_row

COLUMNS_OF_REQUEST = ("n_periods", "horizon", "frequency", "groups")
PROPHET_OPTIONS = ("predict_col", "on_error")


class GroupedForecaster(NativeModel):
    """What `mlflow.pyfunc` calls."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow ignores them, too
        """Forecast `n_periods` (or `horizon`) for all groups or for `groups`.

        Prophet needs a `frequency`.
        """
        row = only_row(data, "a diviner model")
        periods = _periods(row)
        groups = None
        if row.get("groups"):
            groups = [tuple(group) for group in row["groups"]]
        if isinstance(self.model, import_module("diviner").GroupedProphet):
            return self._predict_with_prophet(row, periods, groups)
        options = {name: value for name, value in row.items() if name not in COLUMNS_OF_REQUEST}
        if groups:
            return self.model.predict_groups(
                groups=groups,
                n_periods=periods,
                **options,
            )
        return self.model.predict(n_periods=periods, **options)

    def _predict_with_prophet(self, row: Mapping[str, Any], periods: int, groups: Any) -> Any:
        """Forecast with Prophet, which needs the time between periods."""
        if not row.get("frequency"):
            raise ValueError(
                "the column `frequency` is missing: the time between periods, "
                "as `date_range` of pandas takes it"
            )
        times = {"horizon": periods, "frequency": row["frequency"]}
        if groups:
            options = {name: row[name] for name in PROPHET_OPTIONS if name in row}
            forecast = self.model.predict_groups(
                groups=groups,
                **times,
                **options,
            )
        else:
            forecast = self.model.forecast(**times)
        column = row.get("predict_col")
        if column is not None:
            return forecast.rename(columns={"yhat": column})
        return forecast


def load(path: str, request: Request) -> GroupedForecaster:  # noqa: ARG001 - as the other loaders
    """Load the model. Raises `ValueError` for one that was fitted by Spark, as MLflow does."""
    flavor = request["flavors"]["diviner"]
    if flavor.get("fit_with_spark"):
        raise ValueError(
            "a diviner model that was fitted by Spark cannot predict here; "
            "it can only be loaded as a diviner model"
        )
    return GroupedForecaster(load_native(request["model"], flavor))


def load_native(folder: str, flavor: Flavor) -> Any:
    """Load the forecaster of a model directory."""
    forecaster = getattr(import_module("diviner"), flavor["model_type"])
    return forecaster.load(os.path.join(folder, flavor.get("data", "model.div")))


def _periods(row: Mapping[str, Any]) -> int:
    """Give how many periods to forecast, under either name."""
    periods, horizon = row.get("n_periods"), row.get("horizon")
    if periods and horizon and periods != horizon:
        raise ValueError(f"n_periods ({periods}) and horizon ({horizon}) must be the same")
    periods = periods or horizon
    if not isinstance(periods, int) or periods < 1:
        raise ValueError(
            f"the column `n_periods` or `horizon` must be the number of periods, not {periods!r}"
        )
    return periods
