"""Spark ML models and pipelines.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.spark.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from envkit.errors import InvalidArgument
from envkit.flavors._shared import loading, spark_files
from envkit.flavors._shared.flavor import Content, Flavor, Options, qualified_name
from envkit.inside.loaders import spark as loader
from envkit.models.data_types import SparkMLVector
from envkit.models.inference.schemas import infer_schema
from envkit.models.schema import ColSpec, Schema
from envkit.models.signature import ModelSignature
from envkit.pyfunc import default_environment, saving

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
    """Save a Spark ML model. Corresponds to `mlflow.spark.save_model`.

    Args:
        spark_model: A fitted model or `PipelineModel` of Spark ML, classic or Connect.
        path: The model directory; a new or an empty folder.
        dfs_tmpdir: Folder that the driver and the workers of a cluster share; the model's files
            pass through it. A local Spark needs none.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.

    Raises:
        ToolNotFound: If PySpark is not installed.
        InvalidArgument: If the model is not a fitted model of Spark ML, or an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    is_connect = loader.is_connect(qualified_name(spark_model))
    if not is_connect and not (hasattr(spark_model, "write") and hasattr(spark_model, "transform")):
        raise InvalidArgument(
            f"spark_model must be a fitted model of Spark ML, not a {type(spark_model).__name__}."
        )
    pipeline_model = loading.library("pyspark.ml.pipeline", "pyspark").PipelineModel
    pipeline = spark_model
    if not is_connect and not isinstance(spark_model, pipeline_model):
        pipeline = pipeline_model([spark_model])

    def write(folder: Path) -> None:
        if is_connect:
            pipeline.saveToLocal(str(folder))
        else:
            spark_files.write(pipeline, folder, dfs_tmpdir)

    signature = None
    if not is_connect:
        signature = _signature_with_vectors(pipeline, options.get("input_example"))
    content = Content(
        data=_DATA,
        write=write,
        section={"model_data": _DATA, "model_class": qualified_name(pipeline)},
        signature=signature,
    )
    _FLAVOR.save(path, options, content)


def load_model(
    model_uri: str | Path, dfs_tmpdir: str | None = None, dst_path: str | Path | None = None
) -> Any:
    """Load a Spark ML model. Corresponds to `mlflow.spark.load_model`.

    Loading a model runs its code. It uses the active Spark session, or a new local one.

    Args:
        model_uri: Path or URI of a model that envkit or MLflow saved.
        dfs_tmpdir: Folder that the driver and the workers of a cluster share; the model's files
            are copied there.
        dst_path: Existing folder for the files of a remote model.

    Returns:
        The `PipelineModel`, or the model of Connect.

    Raises:
        ModelNotFound: If there is no model.
        InvalidFile: If the model does not have this flavor, or is malformed.
        ToolNotFound: If PySpark is not installed.
    """
    return _FLAVOR.load_model(model_uri, dst_path, dfs_tmpdir=dfs_tmpdir)


_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model


def get_default_pip_requirements(is_spark_connect_model: bool = False) -> list[str]:
    """Return the requirements that every model of this flavor has at least.

    Args:
        is_spark_connect_model: Whether the model is one of Spark Connect, which PyTorch trains.

    Returns:
        PEP 508 lines, pinned to the installed versions.
    """
    if not is_spark_connect_model:
        return _FLAVOR.get_default_pip_requirements()
    pyspark, *others = _FLAVOR.get_default_pip_requirements("torch", "scikit-learn", "torcheval")
    return [pyspark.replace("pyspark", "pyspark[connect]", 1), *others]


def get_default_conda_env(is_spark_connect_model: bool = False) -> dict[str, Any]:
    """Return the conda environment that every model of this flavor needs at least.

    Args:
        is_spark_connect_model: Whether the model is one of Spark Connect, which PyTorch trains.

    Returns:
        Content of a `conda.yaml`.
    """
    requirements = get_default_pip_requirements(is_spark_connect_model)
    return default_environment.conda_environment(requirements)


def _signature_with_vectors(model: Any, example: Any) -> ModelSignature | None:
    """Return the signature of a model that predicts vectors, which it returns as lists, or None."""
    rows = example[0] if isinstance(example, tuple) else example
    if not hasattr(rows, "iloc"):
        return None
    answer = loader.Pipeline(model.copy(), loader.session(), {}).transformed(rows)
    if answer.dtypes[0][1] != loader.VECTOR_TYPE:
        return None
    return ModelSignature(infer_schema(rows), Schema([ColSpec(SparkMLVector())]))
