"""A linear model, trained by H2O's server."""

from __future__ import annotations

from typing import Any

import h2o
from h2o.estimators import H2OGeneralizedLinearEstimator

from tests.flavors.case import Case

from . import data


def cases() -> list[Case]:
    return [Case(name="GLM", make=linear, example=data.example())]


def linear() -> Any:
    h2o.init(max_mem_size="1g", nthreads=1)
    rows = h2o.H2OFrame(data.frame().assign(y=data.target()))
    made = H2OGeneralizedLinearEstimator(seed=0)
    made.train(x=["a", "b"], y="y", training_frame=rows)
    return made
