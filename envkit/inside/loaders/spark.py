"""In place of `mlflow.spark`: a pipeline of Spark ML, run by a Spark of one thread in this process's own Java."""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any, Iterator, Mapping

from .native import Native

SETTINGS = {
    "spark.python.worker.reuse": "true",
    "spark.driver.host": "127.0.0.1",
    "spark.executor.allowSparkContext": "true",  # a model may be asked for on a worker of another Spark
    "spark.ui.enabled": "false",
}
VECTOR = "sparkml_vector"
PREDICTION = "prediction"


class Pipeline(Native):
    """What `mlflow.pyfunc` calls: takes a data frame, gives the list of what stands in `prediction`."""

    def __init__(self, model: Any, session: Any, signature: Mapping[str, Any]) -> None:
        super().__init__(model)
        self._session = session
        self._inputs = set(_vectors(signature.get("inputs")))
        self._outputs = set(_vectors(signature.get("outputs")))

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Predict; vectors are lists of numbers on the way in and out."""
        rows = self._session.createDataFrame(data)
        rows = _with_vectors(rows, {name or rows.columns[0] for name in self._inputs} | _features(self.model, rows))
        _name_the_output(self.model, rows)
        answer = self.model.transform(rows).select(PREDICTION)
        if self._outputs:
            answer = answer.withColumn(PREDICTION, import_module("pyspark.ml.functions").vector_to_array(PREDICTION))
        return [row[PREDICTION] for row in answer.collect()]


class ConnectPipeline(Native):
    """A pipeline of `pyspark.ml.connect`, which needs no Spark to predict."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Predict."""
        return self.model.transform(data.copy(deep=False))[PREDICTION]


def load(path: str, request: Mapping[str, Any]) -> Native:  # noqa: ARG001 - as the other loaders
    """Load the pipeline, into the Spark that runs or a new one."""
    model = load_native(request["model"], request["flavors"]["spark"])
    if _is_connect(request["flavors"]["spark"]):
        return ConnectPipeline(model)
    return Pipeline(model, session(), request.get("signature") or {})


def load_native(folder: str, flavor: Mapping[str, Any]) -> Any:
    """Give the pipeline of a model directory."""
    path = os.path.abspath(os.path.join(folder, flavor["model_data"]))
    if _is_connect(flavor):
        module, _, name = flavor["model_class"].rpartition(".")
        return getattr(import_module(module), name).loadFromLocal(path)
    session()
    return import_module("pyspark.ml.pipeline").PipelineModel.load(f"file://{path}")


def session() -> Any:
    """Give the Spark that runs, or start one."""
    kind = import_module("pyspark.sql").SparkSession
    running = kind.getActiveSession()
    if running is not None:
        return running
    builder = kind.builder.master("local[1]")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _is_connect(flavor: Mapping[str, Any]) -> bool:
    return str(flavor.get("model_class", "")).startswith("pyspark.ml.connect.")


def _vectors(schema: Any) -> Iterator[Any]:
    """The names of columns that are vectors; None for the only one, when it has none."""
    columns = json.loads(schema) if isinstance(schema, str) else schema or []
    return (each.get("name") for each in columns if each.get("type") == VECTOR)


def _features(model: Any, rows: Any) -> set[str]:
    """The columns of features that the stages take as vectors and that are lists of numbers here."""
    stages = getattr(model, "stages", [model])
    wanted = {stage.getOrDefault("featuresCol") for stage in stages if stage.hasParam("featuresCol")}
    return {name for name, kind in rows.dtypes if name in wanted and kind == "array<double>"}


def _with_vectors(rows: Any, names: set[str]) -> Any:
    to_vector = import_module("pyspark.ml.functions").array_to_vector
    for name in sorted(names):
        rows = rows.withColumn(name, to_vector(rows[name].cast("array<double>")))
    return rows


def _name_the_output(model: Any, rows: Any) -> None:
    """Have a pipeline that ends in a transformer call its output `prediction`, if nothing else is called that."""
    last = model.stages[-1] if getattr(model, "stages", None) else None
    if last is None or not last.hasParam("outputCol"):
        return
    if PREDICTION not in model.transform(rows.limit(0)).columns:
        last.setOutputCol(PREDICTION)
