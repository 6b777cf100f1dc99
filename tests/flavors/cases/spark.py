"""Spark ML pipelines, single models and transformers, and a model of Connect."""

from __future__ import annotations

import tempfile
from typing import Any

import pandas as pd
from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import Bucketizer, VectorAssembler
from pyspark.ml.functions import array_to_vector
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession

from tests.flavors.case import Case

from . import data


def cases() -> list[Case]:
    lists = pd.DataFrame({"features": data.example().to_numpy().tolist()})
    shared = {"dfs_tmpdir": tempfile.gettempdir()}
    return [
        Case(name="PipelineModel", make=pipeline, example=data.example(), loading=shared),
        Case(name="LinearRegressionModel", make=linear, example=lists),
        Case(name="probabilities", make=probabilities, example=data.example()),
        Case(name="Bucketizer", make=bucketizer, example=data.example()),
        Case(name="dfs_tmpdir", make=pipeline, example=data.example(), options=shared),
        Case(name="StandardScaler of Connect", make=scaler, example=lists),
    ]


def session() -> SparkSession:
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    return builder.config("spark.driver.host", "127.0.0.1").getOrCreate()


def assembled() -> VectorAssembler:
    return VectorAssembler(inputCols=["a", "b"], outputCol="features")


def pipeline() -> Any:
    rows = session().createDataFrame(data.frame().assign(label=data.target()))
    return Pipeline(stages=[assembled(), LinearRegression(maxIter=3)]).fit(rows)


def linear() -> Any:
    """A single model, which predicts on lists of numbers instead of vectors."""
    rows = pd.DataFrame({"features": data.frame().to_numpy().tolist(), "label": data.target()})
    frame = session().createDataFrame(rows)
    return LinearRegression(maxIter=3).fit(
        frame.withColumn("features", array_to_vector("features"))
    )


def probabilities() -> Any:
    """A model that predicts a vector for each row."""
    rows = session().createDataFrame(data.frame().assign(label=data.label()))
    classifier = LogisticRegression(maxIter=3, probabilityCol="prediction", predictionCol="")
    return Pipeline(stages=[assembled(), classifier]).fit(rows)


def bucketizer() -> Any:
    """A transformer that needs no fit; its output is called `prediction`."""
    session()
    return Bucketizer(splits=[float("-inf"), 0.0, float("inf")], inputCol="a", outputCol="bucket")


def scaler() -> Any:
    from pyspark.ml.connect.feature import StandardScaler

    rows = pd.DataFrame({"features": list(data.frame().to_numpy())})
    return StandardScaler(inputCol="features", outputCol="prediction").fit(rows)
