"""`load_model`: a model in this process, or alive in an environment of its own.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pyfunc.html#mlflow.pyfunc.load_model
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envkit.environments.env_type import EnvType
from envkit.errors import InvalidArgument
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
    **preparation: Any,
) -> PyFuncModel:
    """Load a model, saved by envkit or by MLflow, to predict with it.

    model_uri: a model directory, by its path or URI. suppress_warnings: do not warn when this
    process has other versions than the model was saved with. dst_path: an existing folder for the
    files of a model that lies elsewhere. model_config: values in the place of those that it was
    saved with, as a dict or the path of a YAML file. env_manager: None or `local` loads it in this
    process. `uv`, `virtualenv` or `conda` rebuild its environment and load it there: a
    `LivePyFuncModel`, to be closed. Then timeout (seconds for one answer), extra_envs and the
    further arguments of `envkit.prepare_env` count, too.

    Raises `ModelNotFound`, `InvalidFile`, `PathOutsideModel` for what is wrong with the directory,
    whatever the model's code raises, and what `prepare_env` raises.
    """
    directory = _opened(model_uri, dst_path)
    config = configuration.effective(directory, model_config)
    report = preparation.pop("report", None)
    if env_manager is not None and str(env_manager) != EnvType.LOCAL:
        # loading in this process does without both
        from envkit.environments.environment_choice import EnvironmentChoice
        from envkit.pyfunc.live import live

        choice = EnvironmentChoice.from_arguments(env_manager, **preparation)
        return live(directory, config, choice, timeout, extra_envs or {}, report)
    if preparation:
        from envkit.environments.environment_choice import EnvironmentChoice

        # they are checked, though nothing is built
        EnvironmentChoice.from_arguments(**preparation)
    if not suppress_warnings:
        drift.warn(directory, stacklevel=2)
    return PyFuncModel(directory, load_here(directory, config), config)


def load_pyfunc(model_uri: str | Path, suppress_warnings: bool = False) -> PyFuncModel:
    """The same as `load_model`, under the name that it had before MLflow 1.0."""
    return load_model(model_uri, suppress_warnings)


def _opened(model_uri: str | Path, dst_path: str | Path | None) -> ModelDirectory:
    if dst_path is not None:
        if not Path(dst_path).is_dir():
            raise InvalidArgument(f"dst_path: there is no folder {dst_path}.")
        from envkit.models.uris.fetch import download_model, is_elsewhere

        if is_elsewhere(model_uri):
            return ModelDirectory.open(download_model(str(model_uri), dst_path))
    return ModelDirectory.open(model_uri)
