"""`load_model`: a model in this process, or alive in an environment of its own.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pyfunc.html#mlflow.pyfunc.load_model
"""

from __future__ import annotations

import inspect
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from envkit.environments.env_type import EnvType
from envkit.errors import InvalidArgument, InvalidFile
from envkit.formats.mlmodel import FILE_NAME
from envkit.inside import loading
from envkit.inside.author import fake_mlflow
from envkit.models.directory import ModelDirectory
from envkit.models.enforcement import enforce, enforce_params
from envkit.models.model import Model
from envkit.models.param_schema import ParamSchema
from envkit.models.schema import Schema
from envkit.models.signature import ModelSignature
from envkit.pyfunc import drift
from envkit.pyfunc.configuration import Config, read

_log = logging.getLogger("envkit")
_loading = threading.RLock()  # the import system's settings are those of the whole process


class PyFuncModel:
    """A loaded model.

    metadata: the `Model` that describes it. model_config: what it was configured with, None
    without.
    """

    def __init__(self, directory: ModelDirectory, model: loading.Model | None, config: Any) -> None:
        self._directory, self._loaded = directory, model
        self.metadata = Model._of(directory.mlmodel.content, directory.path / FILE_NAME)
        self.model_config = config

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.loader_module} at {self._directory.path}>"

    @property
    def loader_module(self) -> str:
        """The module that loads it."""
        return self._directory.python_function.loader_module

    @property
    def signature(self) -> ModelSignature | None:
        """What it takes and gives; None without a signature."""
        return self.metadata.signature

    @property
    def input_schema(self) -> Schema | None:
        """What it takes."""
        return self.metadata.get_input_schema()

    @property
    def output_schema(self) -> Schema | None:
        """What it gives."""
        return self.metadata.get_output_schema()

    @property
    def params_schema(self) -> ParamSchema | None:
        """Which parameters it has."""
        return self.metadata.get_params_schema()

    @property
    def input_example(self) -> Any:
        """The example that was saved with it; None without one."""
        return self.metadata.load_input_example(self._directory.path)

    @property
    def model_id(self) -> str | None:
        """By which it was logged."""
        return self.metadata.model_id

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict. data: as the signature promises them to the model; what fits is widened where that is safe.

        Raises `InputMismatch` for other data, and whatever the model raises.
        """
        loaded = self._here
        return loaded.predict(self._fitting(data), enforce_params(params, self.signature) or None)

    def predict_stream(self, data: Any, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Predict piece by piece. Raises `InvalidArgument` for a model that was not saved as `streamable`."""
        loaded = self._here
        if not loaded.streams:
            raise InvalidArgument(
                f"{self._directory.name} does not predict piece by piece: it is not streamable."
            )
        return iter(
            loaded.predict_stream(
                self._fitting(data), enforce_params(params, self.signature) or None
            )
        )

    def unwrap_python_model(self) -> Any:
        """Give the author's object or function. Raises `InvalidArgument` for a model of another kind."""
        found = getattr(self._here.implementation, "python_model", None)
        if found is None:
            raise InvalidArgument(
                f"{self._directory.name} is no Python model: {self.loader_module} loads it."
            )
        return found

    def get_raw_model(self) -> Any:
        """Give the library's own object, such as an estimator. Raises `InvalidArgument` when its loader has none."""
        implementation = self._here.implementation
        get = getattr(implementation, "get_raw_model", None)
        if get is not None:
            return get()
        if hasattr(implementation, "python_model"):
            return implementation.python_model
        raise InvalidArgument(f"{self.loader_module} does not give the model that it loads.")

    @property
    def _here(self) -> loading.Model:
        if self._loaded is None:
            raise InvalidArgument(
                "The model lives in a process of its own; load it without env_manager for its object."
            )
        return self._loaded

    def _fitting(self, data: Any) -> Any:
        if self._here.takes_raw_inputs:
            return data
        return enforce(data, self.signature)


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
    config = _configured(directory, model_config)
    if env_manager is not None and str(env_manager) != EnvType.LOCAL:
        from envkit.pyfunc.live import live

        return live(directory, config, env_manager, timeout, extra_envs or {}, preparation)
    if preparation:
        from envkit.environments.reproduction import prepare_env

        # what is misspelt is told here, too
        inspect.signature(prepare_env).bind_partial(**preparation)
    if not suppress_warnings:
        drift.warn(directory, stacklevel=2)
    return PyFuncModel(directory, load_here(directory, config), config)


def load_pyfunc(model_uri: str | Path, suppress_warnings: bool = False) -> PyFuncModel:
    """The same as `load_model`, under the name that it had before MLflow 1.0."""
    return load_model(model_uri, suppress_warnings)


def load_here(directory: ModelDirectory, config: Any = None) -> loading.Model:
    """Load a model in this process."""
    with authors_code():
        _forget_code_of_others(directory)
        return loading.load_here(request(directory, config))


@contextmanager
def authors_code() -> Iterator[None]:
    """Run the code of one model at a time, and supply what it imports of `mlflow` where that is not installed."""
    with _loading:
        supplied = fake_mlflow.supply_mlflow()
        try:
            yield
        finally:
            fake_mlflow.withdraw(supplied)


def request(directory: ModelDirectory, config: Any) -> dict[str, Any]:
    """Give what the program that loads the model must know."""
    found = directory.request()
    if config is not None:
        found["python_function"] = {**found["python_function"], "config": config}
    return found


def _opened(model_uri: str | Path, dst_path: str | Path | None) -> ModelDirectory:
    if dst_path is not None:
        if not Path(dst_path).is_dir():
            raise InvalidArgument(f"dst_path: there is no folder {dst_path}.")
        from envkit.models.uris.fetch import download_model, is_elsewhere

        if is_elsewhere(model_uri):
            return ModelDirectory.open(download_model(str(model_uri), dst_path))
    return ModelDirectory.open(model_uri)


def _configured(directory: ModelDirectory, given: Config | None) -> Any:
    """The saved configuration, with those of the given values that it has."""
    saved: Any = directory.python_function.config
    if isinstance(saved, str):
        path = directory.file(saved)
        if path is None:
            raise InvalidFile(
                directory.mlmodel_path,
                "flavors.python_function.config",
                f"there is no file {saved}",
            )
        saved = read(path)
    asked = read(given) or {}
    unknown = sorted(set(asked) - set(saved or {}))
    if unknown:
        _log.warning(
            "model_config: the model was saved without %s; that is ignored", ", ".join(unknown)
        )
    if saved is None:
        return None
    return {**saved, **{name: value for name, value in asked.items() if name in saved}}


def _forget_code_of_others(directory: ModelDirectory) -> None:
    """Let modules of an earlier model not be taken for those of this one that have the same names."""
    own = directory.code_path
    if own is None:
        return
    tops = {each.stem for each in own.iterdir() if each.suffix == ".py" or each.is_dir()}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] not in tops or not file or Path(file).is_relative_to(own):
            continue
        if any(
            parent.name == own.name and (parent.parent / FILE_NAME).exists()
            for parent in Path(file).parents
        ):
            del sys.modules[name]
