"""`load_model`: load a model in this process, or in an environment of its own.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pyfunc.html#mlflow.pyfunc.load_model
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envkit.environments.env_type import EnvType
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.errors import InvalidArgument
from envkit.interpreters.policy import PythonPolicy
from envkit.models.directory import ModelDirectory
from envkit.pyfunc import configuration, drift
from envkit.pyfunc.configuration import Config
from envkit.pyfunc.in_process import load_here
from envkit.pyfunc.loaded import PyFuncModel


def load_model(
    model_uri: str | Path,
    suppress_warnings: bool = False,
    dst_path: str | Path | None = None,
    model_config: Config | None = None,
    env_manager: EnvType | str | None = None,
    *,
    timeout: float | None = None,
    extra_envs: Mapping[str, str] | None = None,
    allow_source: bool = False,
    pip_requirements_override: str | Sequence[str] = (),
    python: str | Path | None = None,
    python_policy: PythonPolicy | str = PythonPolicy.MINOR,
    conda_exe: str | Path | None = None,
    **preparation: Any,
) -> PyFuncModel:
    """Load a model that envkit or MLflow saved.

    Corresponds to `mlflow.pyfunc.load_model`. Loading a model runs its code.

    Args:
        model_uri: Path or URI of the model.
        suppress_warnings: Whether to omit the warning about versions in this process that differ
            from the model's environment.
        dst_path: Existing folder for the files of a remote model.
        model_config: Values that replace saved ones of the model's configuration: a dict, or the
            path of a YAML file.
        env_manager: None or `local` to load the model in this process. `uv`, `virtualenv` or
            `conda` to rebuild its environment and load it there; the result is a
            `LivePyFuncModel`, to be closed.
        timeout: Seconds for one prediction of a live model; any time by default.
        extra_envs: Environment variables of a live model by name.
        allow_source: For a live model, whether to build distributions that have no wheel, such
            as PySpark.
        pip_requirements_override: As for `envkit.prepare_env`.
        python: As for `envkit.prepare_env`.
        python_policy: As for `envkit.prepare_env`.
        conda_exe: As for `envkit.prepare_env`.
        **preparation: `report`, which gets the notes of the build.

    Returns:
        The model, which has `predict`.

    Raises:
        ModelNotFound: If there is no model.
        InvalidFile: If a file of the model is malformed.
        PathOutsideModel: If a field of `MLmodel` leads out of the model directory.
        InvalidArgument: If an argument is invalid.
        BuildFailed: If the environment of a live model cannot be built.
        PredictionFailed: If a live model cannot be loaded. In this process, what the model's code
            raises is not wrapped.

    Examples:
        >>> with load_model("model", env_manager="uv") as model:  # doctest: +SKIP
        ...     model.predict(frame)
    """
    directory = _open(model_uri, dst_path)
    config = configuration.effective(directory, model_config)
    report = preparation.pop("report", None)
    manager = env_manager or EnvType.LOCAL
    is_live = str(manager) != EnvType.LOCAL
    # Also checks arguments that have no effect in this process.
    choice = EnvironmentChoice.from_arguments(
        manager if is_live else EnvType.UV,
        allow_source=allow_source,
        pip_requirements_override=pip_requirements_override,
        python=python,
        python_policy=python_policy,
        conda_exe=conda_exe,
        **preparation,
    )
    if is_live:
        # Importing it takes 100 ms, which loading in this process need not spend.
        from envkit.pyfunc.live import LiveOptions, LivePyFuncModel

        options = LiveOptions(
            choice=choice, timeout=timeout, variables=extra_envs or {}, report=report
        )
        return LivePyFuncModel.start(directory, config, options)
    if not suppress_warnings:
        drift.warn(directory, stacklevel=2)
    return PyFuncModel(directory, load_here(directory, config), config)


def load_pyfunc(model_uri: str | Path, suppress_warnings: bool = False) -> PyFuncModel:
    """Load a model in this process; the name of `load_model` before MLflow 1.0.

    Args:
        model_uri: Path or URI of the model.
        suppress_warnings: As for `load_model`.

    Returns:
        The model, which has `predict`.
    """
    return load_model(model_uri, suppress_warnings)


def _open(model_uri: str | Path, dst_path: str | Path | None) -> ModelDirectory:
    if dst_path is None:
        return ModelDirectory.open(model_uri)
    if not Path(dst_path).is_dir():
        raise InvalidArgument(f"dst_path: there is no folder {dst_path}.")
    # Importing it takes 7 ms, and most models are local.
    from envkit.models.uris.fetch import download_model, is_elsewhere

    if is_elsewhere(model_uri):
        return ModelDirectory.open(download_model(str(model_uri), dst_path))
    return ModelDirectory.open(model_uri)
