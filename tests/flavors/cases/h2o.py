"""A linear model, and a classifier that is loaded into a server of its own."""

from __future__ import annotations

from typing import Any

import h2o
from h2o.estimators import H2OGeneralizedLinearEstimator, H2OGradientBoostingEstimator

from tests.flavors.case import Case

from . import data

MEMORY = {"max_mem_size": "1g", "nthreads": 1}


def cases() -> list[Case]:
    own = {"settings": {"init": {**MEMORY, "port": 54361}}}
    return [
        Case(name="GLM", make=linear, example=data.example()),
        Case(name="GBM, settings", make=classifier, example=data.example(), options=own),
    ]


def linear() -> Any:
    return trained(H2OGeneralizedLinearEstimator(seed=0), data.target())


def classifier() -> Any:
    """A classifier that returns the class and the probability of each class."""
    classes = [("no", "yes")[each] for each in data.label()]
    return trained(H2OGradientBoostingEstimator(ntrees=3, min_rows=2, seed=0), classes)


def trained(model: Any, target: Any) -> Any:
    h2o.init(**MEMORY)
    model.train(x=["a", "b"], y="y", training_frame=h2o.H2OFrame(data.frame().assign(y=target)))
    return model
