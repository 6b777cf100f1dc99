"""Linear models, one of a formula, a generalized one, and time series."""

from __future__ import annotations

from typing import Any

import numpy as np  # noqa: F401 - the formula names it
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from tests.flavors.case import Case

from . import data


def cases() -> list[Case]:
    span = pd.DataFrame({"start": [40], "end": [44]})
    dates = pd.DataFrame(
        {"start": pd.to_datetime(["2024-02-05"]), "end": pd.to_datetime(["2024-02-12"])}
    )
    return [
        Case(name="OLS", make=linear, example=data.example()),
        Case(
            name="OLS, remove_data",
            make=linear,
            example=data.example(),
            options={"remove_data": True},
        ),
        Case(name="OLS of a formula", make=formula, example=data.example()),
        Case(
            name="OLS of a formula, remove_data",
            make=formula,
            example=data.example(),
            options={"remove_data": True},
        ),
        Case(name="GLM", make=generalized, example=data.example()),
        Case(name="ARIMA", make=series, example=span),
        Case(name="ExponentialSmoothing by dates", make=smoothing, example=dates),
    ]


def linear() -> Any:
    return sm.OLS(data.target(), data.frame()).fit()


def formula() -> Any:
    # The formula needs np where this function is defined, and where the model is loaded.
    return smf.ols("y ~ a + np.square(b)", data.frame().assign(y=data.target())).fit()


def generalized() -> Any:
    return sm.GLM(data.label(), data.frame(), family=sm.families.Binomial()).fit()


def series() -> Any:
    return ARIMA(data.target(), order=(1, 0, 0)).fit()


def smoothing() -> Any:
    days = pd.date_range("2024-01-01", periods=40, freq="D")
    return ExponentialSmoothing(pd.Series(data.target(), index=days), trend="add").fit()
