"""A linear model, and a time series."""

from __future__ import annotations

from typing import Any

import pandas as pd
import statsmodels.api as sm
from statsmodels.tsa.arima.model import ARIMA

from tests.flavors.case import Case

from . import data


def cases() -> list[Case]:
    span = pd.DataFrame({"start": [40], "end": [44]})
    return [
        Case(name="OLS", make=linear, example=data.example()),
        Case(name="OLS, remove_data", make=linear, example=data.example(), options={"remove_data": True}),
        Case(name="ARIMA", make=series, example=span),
    ]


def linear() -> Any:
    return sm.OLS(data.target(), data.frame()).fit()


def series() -> Any:
    return ARIMA(data.target(), order=(1, 0, 0)).fit()
