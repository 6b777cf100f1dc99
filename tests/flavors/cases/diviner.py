"""One forecaster per group, which predicts for all groups or for some."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from diviner import GroupedPmdarima, GroupedProphet
from pmdarima.arima.arima import ARIMA

from tests.flavors.case import Case


def cases() -> list[Case]:
    named = {"n_periods": [3], "predict_col": ["sales"]}
    days = {"horizon": [3], "frequency": ["D"]}
    chosen = {"groups": [[["2"]]]}
    return [
        Case(name="GroupedPmdarima", make=pmdarima, example=pd.DataFrame({"n_periods": [3]})),
        Case(name="GroupedPmdarima, predict_col", make=pmdarima, example=pd.DataFrame(named)),
        Case(
            name="GroupedPmdarima, groups",
            make=pmdarima,
            example=pd.DataFrame({"n_periods": [3], **chosen}),
        ),
        Case(name="GroupedProphet", make=prophet, example=pd.DataFrame(days)),
        Case(name="GroupedProphet, groups", make=prophet, example=pd.DataFrame({**days, **chosen})),
    ]


def series() -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=60)
    numbers = np.sin(np.arange(60) / 5)
    return pd.concat(
        [pd.DataFrame({"ds": days, "y": numbers + shift, "group": str(shift)}) for shift in (1, 2)]
    )


def pmdarima() -> Any:
    return GroupedPmdarima(model_template=ARIMA(order=(1, 0, 0))).fit(
        df=series(), group_key_columns=["group"], y_col="y", datetime_col="ds"
    )


def prophet() -> Any:
    return GroupedProphet(uncertainty_samples=0).fit(df=series(), group_key_columns=["group"])
