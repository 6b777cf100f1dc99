"""A forecaster of a short series."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pmdarima

from tests.flavors.case import Case

from . import data


def cases() -> list[Case]:
    far = pd.DataFrame({"n_periods": [3]})
    bounds = pd.DataFrame({"n_periods": [3], "return_conf_int": [True], "alpha": [0.1]})
    return [
        Case(name="ARIMA", make=forecaster, example=far),
        Case(name="ARIMA with bounds", make=forecaster, example=bounds),
    ]


def forecaster() -> Any:
    return pmdarima.ARIMA(order=(1, 0, 0)).fit(data.target())
