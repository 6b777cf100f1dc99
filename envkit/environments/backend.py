"""How models of a flavor are run: `FlavorBackend`, and the one that is chosen for a model.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.models.html#mlflow.models.FlavorBackend
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.reproduction import predict, prepare_env
from envkit.errors import InvalidArgument, InvalidFile
from envkit.models.directory import ModelDirectory
from envkit.models.uris.need import DESCRIPTION


class FlavorBackend:
    """Prepares the environment of models, predicts with them, serves them.

    config: the flavor's entry in `MLmodel`. env_manager: what rebuilds the environment. options: as the function
    `predict` has them (`allow_source`, `pip_requirements_override`, `extra_envs`, `timeout`, `memory_bytes`).
    """

    def __init__(self, config: Mapping[str, Any], env_manager: EnvType | str | None = None, **options: Any) -> None:
        self.config = dict(config)
        self.env_manager = env_manager or EnvType.UV
        self.options = options

    def prepare_env(self, model_uri: str | Path, capture_output: bool = False) -> Environment:
        """Build the environment unless it is there; then predicting and serving start fast.

        capture_output: nothing is printed in any case. Raises what the function `prepare_env` raises.
        """
        del capture_output
        known = {
            name: self.options[name] for name in ("allow_source", "pip_requirements_override") if name in self.options
        }
        return prepare_env(model_uri, self.env_manager, **known)

    def predict(
        self,
        model_uri: str | Path,
        input_path: str | Path | None = None,
        output_path: str | Path | None = None,
        content_type: str = "json",
        json_format: str | None = None,
        **options: Any,
    ) -> Any:
        """Predict on a file, or on standard input when none is named; give the predictions.

        They are also put into the file `output_path`, or printed as `{"predictions": …}` when none is named.
        json_format: `split` or `records`, for JSON that is a data frame without one of the request's keys.
        options: as in the class, for this time.

        Raises what the function `predict` raises.
        """
        data = _given(input_path, content_type, json_format)
        known = {**self.options, **options}
        found = predict(
            model_uri,
            input_data=data,
            input_path=input_path if data is None else None,
            content_type=content_type,
            output_path=output_path,
            env_manager=self.env_manager,
            **known,
        )
        if output_path is None:
            print(json.dumps({"predictions": found}, ensure_ascii=False))
        return found

    def serve(self, model_uri: str | Path, port: int = 5000, host: str = "127.0.0.1", **options: Any) -> Any:
        """Serve the model over HTTP, until a signal ends it or, with `synchronous=False`, in a thread.

        options: as in the class, for this time, and those of the function `envkit.serve`, which says what is raised.
        """
        from envkit.serving.serve import serve  # needs what the extra `serve` installs

        known = {**self.options, **options}
        return serve(model_uri, host, port, env_manager=self.env_manager, **known)

    def can_score_model(self) -> bool:
        """Whether models of this flavor can be run here."""
        return "loader_module" in self.config

    def can_build_image(self) -> bool:
        """Whether this backend can make an image of a container that serves the model."""
        return callable(getattr(self, "build_image", None))


def get_flavor_backend(model_uri: str | Path, **options: Any) -> FlavorBackend:
    """Choose the backend for a model, of which only `MLmodel` is read. options: as `FlavorBackend` has them.

    Raises `InvalidFile` for a model without the flavor `python_function`, and whatever opening the model raises.
    """
    model = ModelDirectory.open(model_uri, DESCRIPTION)
    if model.mlmodel.python_function is None:
        others = ", ".join(model.mlmodel.flavors) or "none"
        hint = "Save it with the flavor python_function, which every flavor of Python has."
        raise InvalidFile(model.mlmodel_path, "flavors", f"envkit runs none of them ({others})", hint)
    return FlavorBackend(model.mlmodel.python_function.fields, **options)


def _given(input_path: str | Path | None, content_type: str, json_format: str | None) -> str | bytes | None:
    """Give what is predicted on where it is no file, or no file as it stands."""
    if json_format not in (None, "split", "records"):
        raise InvalidArgument(f"json_format is split or records, not {json_format!r}.")
    if input_path is not None and json_format is None:
        return None
    content = sys.stdin.buffer.read() if input_path is None else Path(input_path).read_bytes()
    if json_format is None or content_type != "json":
        return content
    try:
        value = json.loads(content)
    except ValueError:
        return content  # what is wrong with it is told where it is read
    is_request = isinstance(value, dict) and any(each in value for each in _KEYS)
    return content if is_request else json.dumps({f"dataframe_{json_format}": value})


_KEYS = ("dataframe_split", "dataframe_records", "instances", "inputs", "messages", "prompt", "input")
