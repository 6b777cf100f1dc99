"""A forecaster of a short series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from prophet import Prophet

from tests.flavors.case import Case


def cases() -> list[Case]:
    days = pd.DataFrame({"ds": pd.date_range("2024-03-01", periods=3)})
    return [Case(name="Prophet", make=forecaster, example=days)]


def forecaster() -> Any:
    days = pd.date_range("2024-01-01", periods=60)
    series = pd.DataFrame({"ds": days, "y": np.sin(np.arange(60) / 5) + np.arange(60) / 20})
    return Prophet(uncertainty_samples=0).fit(series)
