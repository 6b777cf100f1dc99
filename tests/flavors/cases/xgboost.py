"""A booster, and models with scikit-learn's interface."""

from __future__ import annotations

from typing import Any

import xgboost

from tests.flavors.case import Case

from . import data


def cases() -> list[Case]:
    return [
        Case(name="Booster", make=booster, example=data.example()),
        Case(
            name="XGBClassifier",
            make=classifier,
            example=data.example(),
            options={"model_format": "json"},
        ),
        Case(name="XGBRegressor", make=regressor, example=data.example()),
    ]


def booster() -> Any:
    return xgboost.train(
        {"max_depth": 2}, xgboost.DMatrix(data.frame(), data.target()), num_boost_round=3
    )


def classifier() -> Any:
    return xgboost.XGBClassifier(n_estimators=3).fit(data.frame(), data.label())


def regressor() -> Any:
    return xgboost.XGBRegressor(n_estimators=3).fit(data.frame(), data.target())
