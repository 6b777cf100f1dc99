"""Stands in for `mlflow.spark`: a Spark ML pipeline, run by a Spark session of one thread.

Needs: pyspark, pandas, Java; models of `pyspark.ml.connect` need its libraries instead of Java.
Takes: a data frame; vectors are lists of numbers.
Returns: the list of what the column `prediction` has.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Mapping

from ..request import Flavor, Request
from .native import NativeModel

SETTINGS = {
    "spark.python.worker.reuse": "true",
    "spark.driver.host": "127.0.0.1",
    # the model may run in a worker of another Spark session
    "spark.executor.allowSparkContext": "true",
    "spark.ui.enabled": "false",
}
GATEWAY_VARIABLES = ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET")
CONNECT_LIBRARIES = ("grpc", "grpc_status", "google.rpc.error_details_pb2")
VECTOR = "sparkml_vector"  # in a signature
VECTOR_TYPE = "vector"  # in a data frame of Spark
PREDICTION = "prediction"


class Pipeline(NativeModel):
    """What `mlflow.pyfunc` calls."""

    def __init__(self, model: Any, session: Any, signature: Mapping[str, Any]) -> None:
        super().__init__(model)
        self._session = session
        self._vectors = _vector_columns(signature.get("inputs"))

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow ignores them, too
        """Predict."""
        answer = self.transformed(data)
        if answer.dtypes[0][1] == VECTOR_TYPE:
            to_array = import_module("pyspark.ml.functions").vector_to_array
            answer = answer.withColumn(PREDICTION, to_array(PREDICTION))
        return [row[PREDICTION] for row in answer.collect()]

    def transformed(self, data: Any) -> Any:
        """Give Spark's data frame with the column `prediction` alone."""
        rows = self._rows(data)
        _name_output(self.model, rows)
        return self.model.transform(rows).select(PREDICTION)

    def _rows(self, data: Any) -> Any:
        """Make Spark's data frame, with vectors where the signature or the pipeline has them."""
        vectors = set(self._vectors)
        if None in vectors:  # of the only column, which has no name
            vectors = {data.columns[0]}
        lists = {name: data[name].map(_as_floats) for name in vectors}
        rows = self._session.createDataFrame(data.assign(**lists))
        to_vector = import_module("pyspark.ml.functions").array_to_vector
        for name in sorted(vectors | _feature_columns(self.model, rows)):
            rows = rows.withColumn(name, to_vector(rows[name].cast("array<double>")))
        return rows


class ConnectPipeline(NativeModel):
    """A pipeline of `pyspark.ml.connect`, which needs no Spark session to predict."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow ignores them, too
        """Predict."""
        return self.model.transform(data.copy(deep=False))[PREDICTION]


def load(path: str, request: Request) -> NativeModel:  # noqa: ARG001 - as the other loaders
    """Load the pipeline into the Spark session that runs, or a new one."""
    flavor = request["flavors"]["spark"]
    model = load_native(request["model"], flavor)
    if is_connect(flavor.get("model_class")):
        return ConnectPipeline(model)
    return Pipeline(model, session(), request.get("signature") or {})


def load_native(folder: str, flavor: Flavor, dfs_tmpdir: str | None = None) -> Any:
    """Load the pipeline of a model directory.

    dfs_tmpdir: a folder that driver and workers of a cluster share; the model's files are copied
    there, and stay.
    """
    path = os.path.abspath(os.path.join(folder, flavor["model_data"]))
    model_class = flavor.get("model_class")
    if is_connect(model_class):
        _import_connect_libraries()
        module, _, name = str(model_class).rpartition(".")
        return getattr(import_module(module), name).loadFromLocal(path)
    context = session().sparkContext
    if dfs_tmpdir:
        place = shared_place(dfs_tmpdir)
        _copy_to(place, path, context)
    else:
        place = "file://%s" % path
    return import_module("pyspark.ml.pipeline").PipelineModel.load(place)


def shared_place(folder: str) -> str:
    """Give a new path below a folder of any file system that Spark knows."""
    return "%s/%s" % (folder.rstrip("/"), uuid.uuid4().hex)


def hadoop_path(context: Any, place: str) -> Any:
    """Give a path as Spark's own file systems take it."""
    return context._jvm.org.apache.hadoop.fs.Path(place)


def session() -> Any:
    """Give the Spark session that runs, or start one."""
    session_class = import_module("pyspark.sql").SparkSession
    running = session_class.getActiveSession()
    if running is not None:
        return running
    os.environ["PYSPARK_PYTHON"] = sys.executable  # else its workers use whatever `python3` is
    if __name__.startswith("_envkit"):
        # in this program they would lead to the Java of the process that started it
        for name in GATEWAY_VARIABLES:
            os.environ.pop(name, None)
    builder = session_class.builder.master("local[1]")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def is_connect(model_class: str | None) -> bool:
    """Whether a model of a class of this full name is one of `pyspark.ml.connect`."""
    return str(model_class).startswith("pyspark.ml.connect.")


def _copy_to(place: str, path: str, context: Any) -> None:
    """Copy a local folder to another file system."""
    target = hadoop_path(context, place)
    file_system = target.getFileSystem(context._jsc.hadoopConfiguration())
    file_system.copyFromLocalFile(hadoop_path(context, path), target)


def _import_connect_libraries() -> None:
    """Import what PySpark needs: else it takes this process for its own tests, and ends it."""
    for name in CONNECT_LIBRARIES:
        import_module(name)
    if find_spec("zstandard") is not None:  # needed from PySpark 4.1 on
        import_module("zstandard")


def _as_floats(vector: Any) -> list[float]:
    return [float(number) for number in vector]


def _vector_columns(schema: Any) -> set[Any]:
    """Name the columns that are vectors; None for the only one, when it has no name."""
    if isinstance(schema, str):
        schema = json.loads(schema)
    return {column.get("name") for column in schema or [] if column.get("type") == VECTOR}


def _feature_columns(model: Any, rows: Any) -> set[str]:
    """Name the columns of features that the stages take as vectors, and that are lists here."""
    features = set()
    for stage in getattr(model, "stages", [model]):
        if stage.hasParam("featuresCol"):
            features.add(stage.getOrDefault("featuresCol"))
    return {name for name, kind in rows.dtypes if name in features and kind == "array<double>"}


def _name_output(model: Any, rows: Any) -> None:
    """Name the output of a last transformer `prediction`, if nothing else is named so."""
    stages = getattr(model, "stages", None)
    if not stages or not stages[-1].hasParam("outputCol"):
        return
    if PREDICTION not in model.transform(rows.limit(0)).columns:
        stages[-1].setOutputCol(PREDICTION)
