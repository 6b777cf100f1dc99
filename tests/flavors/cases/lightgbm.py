"""A booster, and models with scikit-learn's interface."""

from __future__ import annotations

from typing import Any

import lightgbm

from tests.flavors.case import Case

from . import data


def cases() -> list[Case]:
    formats = ("cloudpickle", "skops")
    models = [
        Case(
            name=f"LGBMRegressor, {form}",
            make=model,
            example=data.example(),
            options={"serialization_format": form},
        )
        for form in formats
    ]
    return [Case(name="Booster", make=booster, example=data.example()), *models]


def booster() -> Any:
    return lightgbm.train(
        {"verbose": -1}, lightgbm.Dataset(data.frame(), data.target()), num_boost_round=3
    )


def model() -> Any:
    return lightgbm.LGBMRegressor(n_estimators=3, verbose=-1).fit(data.frame(), data.target())
