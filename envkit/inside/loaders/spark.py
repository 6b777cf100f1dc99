"""In place of `mlflow.spark`: a pipeline of Spark ML, run by a Spark of one thread in this process's own Java."""

from __future__ import annotations

import json
import os
import sys
import uuid
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Iterator, Mapping, Optional

from .native import Native

SETTINGS = {
    "spark.python.worker.reuse": "true",
    "spark.driver.host": "127.0.0.1",
    # a model may be asked for on a worker of another Spark
    "spark.executor.allowSparkContext": "true",
    "spark.ui.enabled": "false",
}
VECTOR = "sparkml_vector"  # in a signature
VECTOR_TYPE = "vector"  # in a data frame of Spark
PREDICTION = "prediction"


class Pipeline(Native):
    """What `mlflow.pyfunc` calls: takes a data frame, gives the list of what stands in `prediction`."""

    def __init__(self, model: Any, session: Any, signature: Mapping[str, Any]) -> None:
        super().__init__(model)
        self._session = session
        self._vectors = set(_vectors(signature.get("inputs")))

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Predict; vectors are lists of numbers on the way in and out."""
        answer = self.transformed(data)
        if answer.dtypes[0][1] == VECTOR_TYPE:
            answer = answer.withColumn(
                PREDICTION, import_module("pyspark.ml.functions").vector_to_array(PREDICTION)
            )
        return [row[PREDICTION] for row in answer.collect()]

    def transformed(self, data: Any) -> Any:
        """Give Spark's data frame of the one column `prediction`, as which a last transformer's output counts."""
        rows = self._rows(data)
        _name_the_output(self.model, rows)
        return self.model.transform(rows).select(PREDICTION)

    def _rows(self, data: Any) -> Any:
        vectors = {data.columns[0] if name is None else name for name in self._vectors}
        numbers = {
            name: data[name].map(lambda vector: [float(each) for each in vector])
            for name in vectors
        }
        rows = self._session.createDataFrame(data.assign(**numbers))
        return _with_vectors(rows, vectors | _features(self.model, rows))


class ConnectPipeline(Native):
    """A pipeline of `pyspark.ml.connect`, which needs no Spark to predict."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Predict."""
        return self.model.transform(data.copy(deep=False))[PREDICTION]


def load(path: str, request: Mapping[str, Any]) -> Native:  # noqa: ARG001 - as the other loaders
    """Load the pipeline, into the Spark that runs or a new one."""
    model = load_native(request["model"], request["flavors"]["spark"])
    if is_connect(request["flavors"]["spark"].get("model_class")):
        return ConnectPipeline(model)
    return Pipeline(model, session(), request.get("signature") or {})


def load_native(folder: str, flavor: Mapping[str, Any], dfs_tmpdir: Optional[str] = None) -> Any:
    """Give the pipeline of a model directory.

    dfs_tmpdir: a folder that driver and workers of a cluster share; the model's files are copied
    there, and stay.
    """
    path = os.path.abspath(os.path.join(folder, flavor["model_data"]))
    if is_connect(flavor.get("model_class")):
        _import_needs_of_connect()
        module, _, name = flavor["model_class"].rpartition(".")
        return getattr(import_module(module), name).loadFromLocal(path)
    context = session().sparkContext
    place = "file://%s" % path
    if dfs_tmpdir:
        place = shared_place(dfs_tmpdir)
        to = hadoop_path(context, place)
        to.getFileSystem(context._jsc.hadoopConfiguration()).copyFromLocalFile(
            hadoop_path(context, path), to
        )
    return import_module("pyspark.ml.pipeline").PipelineModel.load(place)


def shared_place(folder: str) -> str:
    """Give a new path below a folder of whatever file system Spark knows."""
    return "%s/%s" % (folder.rstrip("/"), uuid.uuid4().hex)


def hadoop_path(context: Any, place: str) -> Any:
    """Give a path as Spark's own file systems take it."""
    return context._jvm.org.apache.hadoop.fs.Path(place)


def session() -> Any:
    """Give the Spark that runs, or start one."""
    kind = import_module("pyspark.sql").SparkSession
    running = kind.getActiveSession()
    if running is not None:
        return running
    os.environ["PYSPARK_PYTHON"] = sys.executable  # else its workers are whatever `python3` is
    # in a child, these would lead to the Java of the process that started it
    if __name__.startswith("_envkit"):
        for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"):
            os.environ.pop(name, None)
    builder = kind.builder.master("local[1]")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def is_connect(model_class: Optional[str]) -> bool:
    """Whether a model, of a class of this full name, is one of `pyspark.ml.connect`."""
    return str(model_class).startswith("pyspark.ml.connect.")


def _import_needs_of_connect() -> None:
    """Without them PySpark takes this process for a run of its own tests, and ends it."""
    for name in ("grpc", "grpc_status", "google.rpc.error_details_pb2"):
        import_module(name)
    if find_spec("zstandard") is not None:  # needed from PySpark 4.1 on
        import_module("zstandard")


def _vectors(schema: Any) -> Iterator[Any]:
    """The names of columns that are vectors; None for the only one, when it has none."""
    if isinstance(schema, str):
        columns = json.loads(schema)
    else:
        columns = schema or []
    return (each.get("name") for each in columns if each.get("type") == VECTOR)


def _features(model: Any, rows: Any) -> set[str]:
    """The columns of features that the stages take as vectors and that are lists of numbers here."""
    stages = getattr(model, "stages", [model])
    wanted = {
        stage.getOrDefault("featuresCol") for stage in stages if stage.hasParam("featuresCol")
    }
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
