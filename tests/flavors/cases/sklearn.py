"""Estimators, in the three formats."""

from __future__ import annotations

from typing import Any

from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.flavors.case import Case

from . import data


def cases() -> list[Case]:
    formats = ("pickle", "cloudpickle", "skops")
    found = [
        Case(
            name=each,
            make=regression,
            example=data.example(),
            options={"serialization_format": each},
        )
        for each in formats
    ]
    options = {"serialization_format": "pickle", "pyfunc_predict_fn": "predict_proba"}
    return [
        *found,
        Case(name="predict_proba", make=classifier, example=data.example(), options=options),
    ]


def regression() -> Any:
    return make_pipeline(StandardScaler(), LinearRegression()).fit(data.frame(), data.target())


def classifier() -> Any:
    return LogisticRegression().fit(data.frame(), data.label())
