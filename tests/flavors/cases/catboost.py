"""A classifier, and a regressor in another format."""

from __future__ import annotations

from typing import Any

from catboost import CatBoostClassifier, CatBoostRegressor

from tests.flavors.case import Case

from . import data


def cases() -> list[Case]:
    return [
        Case(name="CatBoostClassifier", make=classifier, example=data.example()),
        Case(
            name="CatBoostRegressor, json",
            make=regressor,
            example=data.example(),
            options={"format": "json"},
        ),
    ]


def classifier() -> Any:
    return CatBoostClassifier(iterations=3, verbose=0, allow_writing_files=False).fit(
        data.frame(), data.label()
    )


def regressor() -> Any:
    return CatBoostRegressor(iterations=3, verbose=0, allow_writing_files=False).fit(
        data.frame(), data.target()
    )
