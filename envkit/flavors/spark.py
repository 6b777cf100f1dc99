"""Pipelines of Spark ML.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.spark.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from envkit.errors import InvalidArgument
from envkit.flavors import loading
from envkit.flavors._flavor import Flavor, Options, qualified_name
from envkit.inside.loaders import spark as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "spark"
_FLAVOR = Flavor(
    name=FLAVOR_NAME, loader=loader, library="pyspark", version_key="pyspark_version", parameter="spark_model"
)
_DATA = "sparkml"


@saving.with_options
def save_model(
    spark_model: Any, path: str | Path, *, dfs_tmpdir: str | None = None, **options: Unpack[Options]
) -> None:
    """Save a fitted model or pipeline of Spark ML.

    dfs_tmpdir: a folder that driver and workers of a cluster share, through which the model's files go; a Spark on
    this machine alone needs none. The other parameters are those of `envkit.pyfunc.saving.save`.
    """
    connect = type(spark_model).__module__.startswith("pyspark.ml.connect.")
    if not connect and not all(hasattr(spark_model, name) for name in ("write", "transform")):
        raise InvalidArgument(f"spark_model is a fitted model of Spark ML, not a {type(spark_model).__name__}.")
    pipelines = loading.library("pyspark.ml.pipeline", "pyspark").PipelineModel
    whole = spark_model if connect or isinstance(spark_model, pipelines) else pipelines([spark_model])

    def put(folder: Path) -> None:
        if connect:
            whole.saveToLocal(str(folder))
        elif dfs_tmpdir is None:
            whole.write().overwrite().save(folder.as_uri())
        else:
            _through(dfs_tmpdir, whole, folder)

    _FLAVOR.save(
        path,
        put,
        options,
        data=_DATA,
        fields={"model_data": _DATA, "model_class": qualified_name(whole)},
        python_function={"data": _DATA},
    )


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env


def _through(shared: str, model: Any, folder: Path) -> None:
    """Have Spark write into the shared folder, and move from there, by Hadoop's own means."""
    import uuid

    place = f"{shared.rstrip('/')}/{uuid.uuid4().hex}"
    model.write().save(place)
    context = loader.session().sparkContext
    path = context._jvm.org.apache.hadoop.fs.Path
    source = path(place)
    files = source.getFileSystem(context._jsc.hadoopConfiguration())
    files.copyToLocalFile(True, source, path(folder.as_uri()), True)
