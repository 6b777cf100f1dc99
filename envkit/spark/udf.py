"""`spark_udf`, the part that runs on the driver; the executors run `task.py`."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from envkit.child import variables as variables_of
from envkit.environments.env_type import EnvType
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.reproduction import prepare_model
from envkit.errors import InvalidArgument, ToolNotFound
from envkit.interpreters.policy import PythonPolicy
from envkit.models.directory import ModelDirectory
from envkit.models.signature import ModelSignature
from envkit.models.uris import naming
from envkit.models.uris.fetch import download_model
from envkit.spark import result_types, shipping
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
    *,
    allow_source: bool = False,
    pip_requirements_override: str | Sequence[str] = (),
    python: str | Path | None = None,
    python_policy: PythonPolicy | str = PythonPolicy.MINOR,
    conda_exe: str | Path | None = None,
) -> Callable[..., Any]:
    """Make a Spark function of columns that predicts with a model, in the model's own environment.

    The executors need envkit, pandas and PyArrow in their Python. What the model raises ends the
    job, with the model's traceback.

    Args:
        spark: The Spark session.
        model_uri: The model: a path or a URI.
        result_type: A Spark type or its DDL text: `int`, `long`, `float`, `double`, `string`,
            `boolean`, an array of one of these, or a struct; by default the type of the
            signature's outputs, else `double`. Of predictions with several columns, a primitive
            type takes the leftmost column that fits, an array all columns that fit, and a struct
            the columns with the names of its fields.
        env_manager: What builds the environment, on the driver and on executors that lack it;
            `local` uses the environment of Spark's own Python.
        params: Parameters of each prediction.
        extra_env: Environment variables for the model.
        prebuilt_env_uri: An archive written by `envkit pack`, which each executor unpacks instead
            of building the environment: a path or a URI.
        model_config: Replaces the configuration that was saved with the model, key by key.
        allow_source: Whether to build distributions that have no wheel, such as PySpark.
        pip_requirements_override: As for `envkit.prepare_env`.
        python: As for `envkit.prepare_env`.
        python_policy: As for `envkit.prepare_env`.
        conda_exe: As for `envkit.prepare_env`.

    Returns:
        A function of columns. Called with columns, the model gets a data frame with the names of
        its signature, in their order, or `0`, `1`, … without a signature. Called with one struct,
        it gets the struct's fields; called with nothing, the required columns of the signature.

    Raises:
        InvalidArgument: Predictions cannot be converted to `result_type`, or the session is one of
            Spark Connect.
        ToolNotFound: PySpark, pandas or PyArrow is not installed.
        EnvkitError: The model or its environment is unusable, as for `prepare_env`.
    """
    functions = _import("pyspark.sql.functions")
    variables_of.check(extra_env or {})
    if not hasattr(spark, "sparkContext"):
        raise InvalidArgument(
            "spark must be a session with a sparkContext; Spark Connect is not supported."
        )
    choice = EnvironmentChoice.from_arguments(
        env_manager,
        allow_source=allow_source,
        pip_requirements_override=pip_requirements_override,
        python=python,
        python_policy=python_policy,
        conda_exe=conda_exe,
    )
    model = ModelDirectory.open(model_uri)
    signature = _signature(model)
    kind = result_types.choose(result_type, signature)
    archive = None
    if prebuilt_env_uri is not None:
        archive = shipping.ship_file(spark, _fetch_file(prebuilt_env_uri))
    elif choice.manager is not EnvType.LOCAL:
        prepare_model(model, choice)
    has_type_hints = model.mlmodel.is_signature_from_type_hint
    task = Task(
        model=shipping.ship_model(spark, model),
        environment=archive,
        choice=choice,
        result=kind,
        inputs=Inputs.of(signature, raw=has_type_hints),
        params=_copied(params),
        variables=dict(extra_env or {}),
        model_config=_copied(model_config),
    )
    return _with_default_columns(_pandas_function(task, functions), task.inputs, functions)


def _signature(model: ModelDirectory) -> ModelSignature | None:
    if not model.mlmodel.signature:
        return None
    return ModelSignature.from_dict(model.mlmodel.signature)


def _copied(mapping: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Copy what Spark pickles and sends to executors."""
    return None if mapping is None else dict(mapping)


def _fetch_file(uri: str | Path) -> Path:
    """Give the local path of a file, which is fetched if it is remote."""
    if naming.scheme_of(uri) == naming.LOCAL:
        return naming.local_path(uri).absolute()
    return Path(download_model(uri))


def _pandas_function(task: Task, functions: Any) -> Any:
    pandas: Any = _import("pandas")

    def predict(batches: Iterator[Any]) -> Iterator[Any]:
        return task.run(batches)

    answer = pandas.Series
    if isinstance(task.result, result_types.Struct):
        answer = pandas.DataFrame
    # PySpark decides by the annotations, and knows only these old forms.
    forms: Any = typing
    batch = forms.Tuple[forms.Union[pandas.Series, pandas.DataFrame], ...]
    predict.__annotations__ = {"batches": forms.Iterator[batch], "return": forms.Iterator[answer]}
    return functions.pandas_udf(predict, result_types.ddl(task.result))


def _with_default_columns(function: Any, inputs: Inputs, functions: Any) -> Callable[..., Any]:
    @functools.wraps(function)
    def udf(*columns: Any) -> Any:
        """Predict on columns."""
        if not columns:
            columns = tuple(functions.col(name) for name in inputs.default_columns())
        return function(*columns)

    return udf


def _import(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        remedy = "spark_udf needs it: `pip install pyspark pandas pyarrow`."
        raise ToolNotFound(missing, remedy) from error
