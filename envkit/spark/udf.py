"""`spark_udf`: what is done on the driver. What is done on the executors is in `task`."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from envkit.child import variables as variables_of
from envkit.environments.env_type import EnvType
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.reproduction import prepare_model
from envkit.errors import InvalidArgument, ToolNotFound
from envkit.models.directory import ModelDirectory
from envkit.models.signature import ModelSignature
from envkit.models.uris.fetch import download_model
from envkit.spark import result_types, shipping, task
from envkit.spark.inputs import Inputs
from envkit.spark.task import Task


def spark_udf(
    spark: Any,
    model_uri: str | Path,
    result_type: Any = None,
    env_manager: EnvType | str = EnvType.UV,
    params: Mapping[str, Any] | None = None,
    extra_env: Mapping[str, str] | None = None,
    prebuilt_env_uri: str | Path | None = None,
    model_config: Mapping[str, Any] | None = None,
) -> Callable[..., Any]:
    """Give a function of columns that predicts with a model, in the model's own environment.

    Called with columns, the model gets a data frame with the names of its signature, in their
    order, or `0`, `1`, … without a signature; called with one struct, its fields; called with
    nothing, the columns of the signature.

    result_type: a type of Spark or its DDL text: `int`, `long`, `float`, `double`, `string`,
    `boolean`, an array of one of these, or a struct of all that; default what the signature
    promises, else `double`. Of a data frame or an array with several columns the leftmost that fits
    is taken, an array takes all that fit, a struct takes those of its names. env_manager: what
    builds the environment, on the driver and where an executor lacks it; `local`: that of Spark's
    own Python. params: for each prediction. extra_env: environment variables for the model.
    prebuilt_env_uri: an archive of `envkit pack`, which each executor unpacks in place of building.
    model_config: takes the place of what the model was saved with, key by key.

    Executors need envkit in their Python. Raises what `prepare_env` raises, `InvalidArgument` for a
    `result_type` that is none of these, `ToolNotFound` without PySpark. What the model raises ends
    the job, with the model's traceback.
    """
    functions = _library("pyspark.sql.functions")
    variables_of.check(extra_env or {})
    if not hasattr(spark, "sparkContext"):
        raise InvalidArgument(
            "spark must be a session with a sparkContext; Spark Connect has none."
        )
    choice = EnvironmentChoice.from_arguments(env_manager)
    model = ModelDirectory.open(model_uri)
    if model.mlmodel.signature:
        signature = ModelSignature.from_dict(model.mlmodel.signature)
    else:
        signature = None
    kind = result_types.chosen(result_type, signature)
    if prebuilt_env_uri is not None:
        archive = download_or_path(prebuilt_env_uri)
    else:
        archive = None
    if archive is None and choice.manager is not EnvType.LOCAL:
        prepare_model(model, choice)
    done = Task(
        model=shipping.shipped_model(spark, model),
        environment=shipping.shipped_file(spark, archive) if archive is not None else None,
        choice=choice,
        result=kind,
        inputs=Inputs.of(
            signature, raw=bool(model.mlmodel.content.get("is_signature_from_type_hint"))
        ),
        params=dict(params) if params is not None else None,
        variables=dict(extra_env or {}),
        model_config=dict(model_config) if model_config is not None else None,
    )
    return _with_default_columns(_function(done, functions), done.inputs, functions)


def download_or_path(uri: str | Path) -> Path:
    """Give the local path of a file, which is fetched when it lies elsewhere."""
    from envkit.models.uris import naming

    if naming.scheme_of(uri) == naming.LOCAL:
        return naming.local_path(uri).absolute()
    return Path(download_model(uri))


def _function(done: Task, functions: Any) -> Any:
    pandas: Any = _library("pandas")

    def predict(batches: Iterator[Any]) -> Iterator[Any]:
        return task.run(done, batches)

    if isinstance(done.result, result_types.Struct):
        answer = pandas.DataFrame
    else:
        answer = pandas.Series
    forms: Any = typing  # PySpark reads these forms alone, not `tuple[…]`
    given = forms.Tuple[forms.Union[pandas.Series, pandas.DataFrame], ...]
    predict.__annotations__ = {"batches": forms.Iterator[given], "return": forms.Iterator[answer]}
    return functions.pandas_udf(predict, result_types.ddl(done.result))


def _with_default_columns(function: Any, inputs: Inputs, functions: Any) -> Callable[..., Any]:
    @functools.wraps(function)
    def udf(*columns: Any) -> Any:
        """Predict on columns."""
        return function(*(columns or map(functions.col, inputs.defaults())))

    return udf


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        raise ToolNotFound(
            missing, "spark_udf needs it: `pip install pyspark pandas pyarrow`."
        ) from error
