"""`ModelConfig`: what a model from code is configured with.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.models.html#mlflow.models.ModelConfig
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Iterator

UNSET = object()
_configuration: ContextVar[Any] = ContextVar("envkit_model_config", default=UNSET)


@contextmanager
def configured(config: Any) -> Iterator[None]:
    """Run code that is saved or loaded as a model: it gets that configuration, and no other."""
    token = _configuration.set(config)
    try:
        yield
    finally:
        _configuration.reset(token)


class ModelConfig:
    """The configuration of a model from code, by key. Corresponds to `mlflow.models.ModelConfig`.

    Args:
        development_config: Values, or the path of a YAML file, for the time before the model is
            saved. When it is saved or loaded, `model_config` takes its place.

    Raises:
        FileNotFoundError: There is no configuration, or no file of that path.
    """

    def __init__(self, *, development_config: Any = None) -> None:
        config = _configuration.get()
        if config is UNSET:
            config = development_config
        if not config:
            raise FileNotFoundError(
                "Config file is not provided which is needed to load the model. Save the model "
                "with `model_config`: `development_config` is for the time before that."
            )
        if not isinstance(config, dict) and not os.path.isfile(config):
            raise FileNotFoundError(f"Config file '{config}' not found.")
        self.config = config

    def to_dict(self) -> Any:
        """Return all of it.

        Raises:
            ValueError: The file is not valid YAML.
        """
        if isinstance(self.config, dict):
            return self.config
        yaml = import_module("yaml")  # models have their configuration as a dict
        with open(self.config, encoding="utf-8") as stream:
            try:
                return yaml.safe_load(stream)
            except yaml.YAMLError as error:
                raise ValueError(f"Error parsing YAML file: {error}") from error

    def get(self, key: str) -> Any:
        """Return one value.

        Args:
            key: A key of the top level.

        Raises:
            KeyError: There is no such key.
        """
        values = self.to_dict()
        if values and key in values:
            return values[key]
        raise KeyError(f"Key '{key}' not found in configuration: {values}.")
