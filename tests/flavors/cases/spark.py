"""A pipeline of Spark ML."""

from __future__ import annotations

from typing import Any

from pyspark.ml import Pipeline
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession

from tests.flavors.case import Case

from . import data


def cases() -> list[Case]:
    return [Case(name="PipelineModel", make=pipeline, example=data.example())]


def pipeline() -> Any:
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.config("spark.driver.host", "127.0.0.1").getOrCreate()
    rows = session.createDataFrame(data.frame().assign(label=data.target()))
    stages = [VectorAssembler(inputCols=["a", "b"], outputCol="features"), LinearRegression(maxIter=3)]
    return Pipeline(stages=stages).fit(rows)
