"""How models of a flavor are run: `FlavorBackend`, and the one that is chosen for a model.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.models.html#mlflow.models.FlavorBackend
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

from envkit.child import r
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.reproduction import predict, prepare_env
from envkit.errors import InvalidArgument, InvalidFile, ToolNotFound
from envkit.formats.mlmodel import R_FLAVOR
from envkit.models.directory import ModelDirectory
from envkit.models.uris.required_files import DESCRIPTION

_OF_SERVERS = ("workers", "max_body", "queue", "show_traceback", "synchronous")


class FlavorBackend:
    """Prepares the environment of models, predicts with them, serves them.

    config: the flavor's entry in `MLmodel`. env_manager: what rebuilds the environment. options: as
    the functions `predict` and `serve` have them (`allow_source`, `pip_requirements_override`,
    `extra_envs`, `timeout`, `memory_bytes`, `workers`, …); each gets those that it knows. Raises
    `InvalidArgument` for one that neither knows.
    """

    def __init__(
        self, config: Mapping[str, Any], env_manager: EnvType | str | None = None, **options: Any
    ) -> None:
        unknown = [
            name for name in options if name not in (*signature(predict).parameters, *_OF_SERVERS)
        ]
        if unknown:
            raise InvalidArgument(f"A backend has no option {unknown[0]!r}.")
        self.config = dict(config)
        self.env_manager = env_manager or EnvType.UV
        self.options = options

    def prepare_env(self, model_uri: str | Path, capture_output: bool = False) -> Environment:
        """Build the environment unless it is there; then predicting and serving start fast.

        capture_output: nothing is printed in any case. Raises what the function `prepare_env`
        raises.
        """
        del capture_output
        return prepare_env(model_uri, self.env_manager, **self._known_to(prepare_env))

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
        """Predict on a file, or on standard input when none is named; give the predictions.

        They are also put into the file `output_path`, or printed as `{"predictions": …}` when none
        is named. json_format: `split` or `records`, for JSON that is a data frame without one of
        the request's keys. The rest, and options: as in the class, for this time.

        Raises what the function `predict` raises.
        """
        data = _given(input_path, content_type, json_format)
        named = {"pip_requirements_override": pip_requirements_override, "extra_envs": extra_envs}
        known = {
            **self._known_to(predict),
            **{name: each for name, each in named.items() if each is not None},
        }
        found = predict(
            model_uri,
            input_data=data,
            input_path=input_path if data is None else None,
            content_type=content_type,
            output_path=output_path,
            env_manager=self.env_manager,
            **{**known, **options},
        )
        if output_path is None:
            print(json.dumps({"predictions": found}, ensure_ascii=False))
        return found

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
        """Serve the model over HTTP, until a signal ends it or, with `synchronous=False`, in a thread.

        timeout: seconds for a request; default that of the class, else of `envkit.serve`. options:
        as in the class, for this time. The function `envkit.serve` says what is raised;
        `InvalidArgument` is, too, for what MLflow's backends have beside: another server, files for
        the output.
        """
        from envkit.serving.serve import serve  # needs what the extra `serve` installs

        if enable_mlserver or stdout is not None or stderr is not None:
            raise InvalidArgument(
                "envkit serves by itself and in this process: without MLServer, stdout and stderr."
            )
        known = {
            **self._known_to(serve),
            **({} if timeout is None else {"timeout": timeout}),
            **options,
        }
        return serve(
            model_uri,
            host,
            port,
            env_manager=self.env_manager,
            **{**known, "synchronous": synchronous},
        )

    def can_score_model(self) -> bool:
        """Whether models of this flavor can be run here."""
        return False

    def can_build_image(self) -> bool:
        """Whether this backend can make an image of a container that serves the model."""
        return callable(getattr(self, "build_image", None))

    def _known_to(self, function: Callable[..., Any]) -> dict[str, Any]:
        return {
            name: value
            for name, value in self.options.items()
            if name in signature(function).parameters
        }


class PyFuncBackend(FlavorBackend):
    """Runs models of the flavor `python_function` in their rebuilt environments."""

    def can_score_model(self) -> bool:
        """Whether the flavor says what loads the model."""
        return "loader_module" in self.config


class RFuncBackend(FlavorBackend):
    """Runs models of R's flavor `crate` in the R of this machine; `env_manager` means nothing to them."""

    def can_score_model(self) -> bool:
        """Whether R is here, with its package jsonlite."""
        try:
            r.find(os.environ)
        except ToolNotFound:
            return False
        return True


def get_flavor_backend(model_uri: str | Path, **options: Any) -> FlavorBackend:
    """Choose the backend for a model, of which only `MLmodel` is read. options: as `FlavorBackend` has them.

    The flavor `python_function` comes before R's `crate`. Raises `InvalidFile` for a model that has
    neither, and whatever opening the model raises.
    """
    model = ModelDirectory.open(model_uri, DESCRIPTION)
    if model.mlmodel.runs_in_r:
        return RFuncBackend(model.mlmodel.flavors[R_FLAVOR], **options)
    if model.mlmodel.python_function is None:
        others = ", ".join(model.mlmodel.flavors) or "none"
        hint = "Save it with the flavor python_function, which every flavor of Python has."
        raise InvalidFile(
            model.mlmodel_path, "flavors", f"envkit runs none of them ({others})", hint
        )
    return PyFuncBackend(model.mlmodel.python_function.fields, **options)


def _given(
    input_path: str | Path | None, content_type: str, json_format: str | None
) -> str | bytes | None:
    """Give what is predicted on where it is no file, or no file as it stands."""
    if json_format not in (None, "split", "records"):
        raise InvalidArgument(f"json_format is split or records, not {json_format!r}.")
    if input_path is not None and json_format is None:
        return None
    if input_path is None:
        content = sys.stdin.buffer.read()
    else:
        content = Path(input_path).read_bytes()
    if json_format is None or content_type != "json":
        return content
    try:
        value = json.loads(content)
    except ValueError:
        return content  # what is wrong with it is told where it is read
    is_request = isinstance(value, dict) and any(each in value for each in _KEYS)
    if is_request:
        return content
    return json.dumps({f"dataframe_{json_format}": value})


_KEYS = (
    "dataframe_split",
    "dataframe_records",
    "instances",
    "inputs",
    "messages",
    "prompt",
    "input",
)
