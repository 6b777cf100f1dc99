"""`FlavorBackend`: how the models of a flavor are prepared, predicted with and served.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.models.html#mlflow.models.FlavorBackend
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envkit.child import r
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.reproduction import predict, prepare_env
from envkit.errors import InvalidArgument, InvalidFile, ToolNotFound
from envkit.formats.mlmodel import R_FLAVOR
from envkit.models.directory import ModelDirectory
from envkit.models.uris.required_files import DESCRIPTION

if TYPE_CHECKING:
    from envkit.images.build import BuiltImage
    from envkit.images.dockerfile import GeneratedDockerfile

DEFAULT_IMAGE_NAME = "mlflow-pyfunc-servable"  # as MLflow names it
_SERVE_OPTIONS = ("workers", "max_body", "queue", "show_traceback", "synchronous")
_REQUEST_KEYS = (
    "dataframe_split",
    "dataframe_records",
    "instances",
    "inputs",
    "messages",
    "prompt",
    "input",
)


class FlavorBackend:
    """Prepares environments of models, predicts with models and serves them.

    Corresponds to `mlflow.models.FlavorBackend`; `get_flavor_backend` returns one.

    Args:
        config: Section of the flavor in `MLmodel`.
        env_manager: What builds the environment, `uv` by default.
        **options: Arguments of `envkit.predict` and `envkit.serve`, such as `allow_source`,
            `pip_requirements_override`, `extra_envs`, `timeout`, `memory_bytes` or `workers`; each
            method uses those that it knows.

    Raises:
        InvalidArgument: If neither function has such an argument.
    """

    def __init__(
        self, config: Mapping[str, Any], env_manager: EnvType | str | None = None, **options: Any
    ) -> None:
        known = {*signature(predict).parameters, *_SERVE_OPTIONS}
        if unknown := [name for name in options if name not in known]:
            raise InvalidArgument(f"A backend has no option {unknown[0]!r}.")
        self.config = dict(config)
        self.env_manager = env_manager or EnvType.UV
        self.options = options

    def prepare_env(self, model_uri: str | Path, capture_output: bool = False) -> Environment:
        """Build the environment of a model unless it is in the store.

        Args:
            model_uri: Path or URI of the model.
            capture_output: Accepted and ignored: nothing is printed.

        Returns:
            The environment.

        Raises:
            BuildFailed: If the environment cannot be built; `envkit.prepare_env` lists the others.
        """
        del capture_output
        return prepare_env(model_uri, self.env_manager, **self._options_of(prepare_env))

    def predict(
        self,
        model_uri: str | Path,
        input_path: str | Path | None = None,
        output_path: str | Path | None = None,
        content_type: str = "json",
        pip_requirements_override: str | Sequence[str] | None = None,
        extra_envs: Mapping[str, str] | None = None,
        json_format: str | None = None,
        **options: Any,
    ) -> Any:
        """Predict on a file, or on standard input.

        Args:
            model_uri: Path or URI of the model.
            input_path: The input; standard input by default.
            output_path: File for the predictions; by default they are printed as
                `{"predictions": …}`.
            content_type: `json`, `csv` or `parquet`.
            pip_requirements_override: Requirements that replace the model's of the same names.
            extra_envs: Environment variables for the model by name.
            json_format: `split` or `records`, if the JSON input is a data frame without a request
                around it.
            **options: Options that replace those of the backend.

        Returns:
            The predictions as JSON values.

        Raises:
            PredictionFailed: If the model fails; `envkit.predict` lists the others.
        """
        data = _read_input(input_path, content_type, json_format)
        arguments = self._options_of(predict)
        if pip_requirements_override is not None:
            arguments["pip_requirements_override"] = pip_requirements_override
        if extra_envs is not None:
            arguments["extra_envs"] = extra_envs
        predictions = predict(
            model_uri,
            input_data=data,
            input_path=input_path if data is None else None,
            content_type=content_type,
            output_path=output_path,
            env_manager=self.env_manager,
            **{**arguments, **options},
        )
        if output_path is None:
            print(json.dumps({"predictions": predictions}, ensure_ascii=False))
        return predictions

    def serve(
        self,
        model_uri: str | Path,
        port: int = 5000,
        host: str = "127.0.0.1",
        timeout: float | None = None,
        enable_mlserver: bool = False,
        synchronous: bool = True,
        stdout: Any = None,
        stderr: Any = None,
        **options: Any,
    ) -> Any:
        """Serve a model over HTTP.

        Args:
            model_uri: Path or URI of the model.
            port: Port to listen at.
            host: Address to listen at.
            timeout: Seconds for a request; by default that of the backend or of `envkit.serve`.
            enable_mlserver: Not supported; MLflow's backends have it.
            synchronous: Whether to serve until a signal; otherwise the server runs in a thread.
            stdout: Not supported; MLflow's backends have it.
            stderr: Not supported; MLflow's backends have it.
            **options: Options that replace those of the backend.

        Returns:
            What `envkit.serve` returns.

        Raises:
            InvalidArgument: If an argument is not supported; `envkit.serve` lists the others.
        """
        # It needs what the extra `serve` installs.
        from envkit.serving.serve import serve

        if enable_mlserver or stdout is not None or stderr is not None:
            raise InvalidArgument(
                "enable_mlserver, stdout and stderr are not supported: "
                "envkit's own server runs in this process."
            )
        arguments = self._options_of(serve)
        if timeout is not None:
            arguments["timeout"] = timeout
        return serve(
            model_uri,
            host,
            port,
            env_manager=self.env_manager,
            **{**arguments, **options, "synchronous": synchronous},
        )

    def can_score_model(self) -> bool:
        """Return whether models of this flavor can run on this machine."""
        return False

    def can_build_image(self) -> bool:
        """Return whether this backend builds container images, with a method `build_image`."""
        return callable(getattr(self, "build_image", None))

    def _options_of(self, function: Callable[..., Any]) -> dict[str, Any]:
        """Return the options that a function has as parameters."""
        parameters = signature(function).parameters
        return {name: value for name, value in self.options.items() if name in parameters}


class PyFuncBackend(FlavorBackend):
    """Runs models of the flavor `python_function` in their rebuilt environments."""

    def can_score_model(self) -> bool:
        """Return whether the section of the flavor names a loader."""
        return "loader_module" in self.config

    def build_image(
        self,
        model_uri: str | Path,
        image_name: str = DEFAULT_IMAGE_NAME,
        engine: str = "docker",
        **options: Any,
    ) -> BuiltImage:
        """Build the container image of a model and load it into a container engine.

        Args:
            model_uri: Model to put into the image.
            image_name: Name of the image.
            engine: `docker` or `podman`; `none` with `output` or `push_to` needs neither.
            **options: Further arguments of `envkit.images.build_image`.

        Returns:
            Digest and sizes of the image.

        Raises:
            EnvkitError: As for `envkit.images.build_image`.
        """
        # what images need costs predictions nothing
        from envkit.images.build import build_image

        return build_image(
            model_uri,
            tag=image_name,
            engine=engine,
            **{
                "env_manager": self.env_manager,
                **self._options_of(build_image),
                **options,
            },
        )

    def generate_dockerfile(
        self, model_uri: str | Path, output_dir: str | Path, **options: Any
    ) -> GeneratedDockerfile:
        """Write a folder from which an engine builds the image of a model.

        Args:
            model_uri: Model to put into the image.
            output_dir: New folder for the Dockerfile.
            **options: Further arguments of `envkit.images.generate_dockerfile`.

        Returns:
            Path of the Dockerfile and the base image.

        Raises:
            EnvkitError: As for `envkit.images.generate_dockerfile`.
        """
        from envkit.images.dockerfile import generate_dockerfile

        return generate_dockerfile(model_uri, output_dir, **options)


class RFuncBackend(FlavorBackend):
    """Runs models of the R flavor `crate` in the installed R, whatever the `env_manager`."""

    def can_score_model(self) -> bool:
        """Return whether R is installed, with its package jsonlite."""
        try:
            r.find(os.environ)
        except ToolNotFound:
            return False
        return True


def get_flavor_backend(model_uri: str | Path, **options: Any) -> FlavorBackend:
    """Return the backend that runs a model. Corresponds to `mlflow.models.get_flavor_backend`.

    Only `MLmodel` is read. The flavor `python_function` takes precedence over R's `crate`.

    Args:
        model_uri: Path or URI of the model.
        **options: Arguments of `FlavorBackend`.

    Returns:
        The backend.

    Raises:
        ModelNotFound: If there is no model.
        InvalidFile: If the model has neither flavor, or its `MLmodel` is malformed.
        InvalidArgument: If an option is unknown.
    """
    model = ModelDirectory.open(model_uri, DESCRIPTION)
    if model.mlmodel.runs_in_r:
        return RFuncBackend(model.mlmodel.flavors[R_FLAVOR], **options)
    flavor = model.mlmodel.python_function
    if flavor is None:
        others = ", ".join(model.mlmodel.flavors) or "none"
        hint = "Save the model with the flavor python_function, which every Python flavor adds."
        raise InvalidFile(
            model.mlmodel_path, "flavors", f"envkit cannot run any of them ({others})", hint
        )
    return PyFuncBackend(flavor.fields, **options)


def _read_input(
    input_path: str | Path | None, content_type: str, json_format: str | None
) -> str | bytes | None:
    """Return the input, or None if it is a file that can be used as it is."""
    if json_format not in (None, "split", "records"):
        raise InvalidArgument(f"json_format must be split or records, not {json_format!r}.")
    if input_path is None:
        content = sys.stdin.buffer.read()
    elif json_format is None:
        return None
    else:
        content = Path(input_path).read_bytes()
    if json_format is None or content_type != "json":
        return content
    try:
        value = json.loads(content)
    except ValueError:
        # `predict` reports what is wrong with it.
        return content
    if isinstance(value, dict) and any(key in value for key in _REQUEST_KEYS):
        return content
    return json.dumps({f"dataframe_{json_format}": value})
