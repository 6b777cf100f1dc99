"""Pipelines of Spark ML.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.spark.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from envkit.errors import InvalidArgument
from envkit.flavors._shared import loading, spark_files
from envkit.flavors._shared.flavor import Flavor, Options, qualified_name
from envkit.inside.loaders import spark as loader
from envkit.models.data_types import SparkMLVector
from envkit.models.inference.schemas import infer_schema
from envkit.models.schema import ColSpec, Schema
from envkit.models.signature import ModelSignature
from envkit.pyfunc import saving

FLAVOR_NAME = "spark"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="pyspark",
    version_key="pyspark_version",
    parameter="spark_model",
)
_DATA = "sparkml"


@saving.with_options
def save_model(
    spark_model: Any, path: str | Path, *, dfs_tmpdir: str | None = None, **options: Unpack[Options]
) -> None:
    """Save a fitted model or pipeline of Spark ML.

    dfs_tmpdir: a folder that driver and workers of a cluster share, through which the model's files
    go; a Spark on this machine alone needs none. The other parameters are those of
    `envkit.pyfunc.saving.save`.
    """
    connect = loader.is_connect(qualified_name(spark_model))
    if not connect and not all(hasattr(spark_model, name) for name in ("write", "transform")):
        raise InvalidArgument(
            f"spark_model is a fitted model of Spark ML, not a {type(spark_model).__name__}."
        )
    pipelines = loading.library("pyspark.ml.pipeline", "pyspark").PipelineModel
    if connect or isinstance(spark_model, pipelines):
        whole = spark_model
    else:
        whole = pipelines([spark_model])

    def put(folder: Path) -> None:
        if connect:
            whole.saveToLocal(str(folder))
        else:
            spark_files.write(whole, folder, dfs_tmpdir)

    _FLAVOR.save(
        path,
        put,
        options,
        data=_DATA,
        fields={"model_data": _DATA, "model_class": qualified_name(whole)},
        signature=None if connect else _signature_with_vectors(whole, options.get("input_example")),
    )


def load_model(
    model_uri: str | Path, dfs_tmpdir: str | None = None, dst_path: str | Path | None = None
) -> Any:
    """Load the pipeline, into the Spark that runs or a new one on this machine.

    dfs_tmpdir: a folder that driver and workers of a cluster share, to which the model's files are
    copied. dst_path: folder for the files that are fetched. Raises `ModelNotFound`, `InvalidFile`
    without this flavor.
    """
    return _FLAVOR.load_model(model_uri, dst_path, dfs_tmpdir=dfs_tmpdir)


_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model


def get_default_pip_requirements(is_spark_connect_model: bool = False) -> list[str]:
    """Give the requirements that every model of this flavor has at least; those of Connect are trained by torch."""
    if not is_spark_connect_model:
        return _FLAVOR.get_default_pip_requirements()
    pyspark, *others = _FLAVOR.get_default_pip_requirements("torch", "scikit-learn", "torcheval")
    return [pyspark.replace("pyspark", "pyspark[connect]", 1), *others]


def get_default_conda_env(is_spark_connect_model: bool = False) -> dict[str, Any]:
    """Give the conda environment that every model of this flavor needs at least."""
    return saving.conda_environment(get_default_pip_requirements(is_spark_connect_model))


def _signature_with_vectors(model: Any, example: Any) -> ModelSignature | None:
    """The signature of a model that answers with vectors, which it gives away as lists; None for all others."""
    rows = example[0] if isinstance(example, tuple) else example
    if not hasattr(rows, "iloc"):
        return None
    answer = loader.Pipeline(model.copy(), loader.session(), {}).transformed(rows)
    if answer.dtypes[0][1] != loader.VECTOR_TYPE:
        return None
    return ModelSignature(infer_schema(rows), Schema([ColSpec(SparkMLVector())]))
