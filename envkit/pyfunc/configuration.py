"""`model_config`: the configuration of a model, as a dict or a YAML file."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument, InvalidFile, InvalidInput
from envkit.formats.document import Document
from envkit.formats.text import read_text
from envkit.models.directory import ModelDirectory

_log = logging.getLogger("envkit")

Config = str | Path | Mapping[str, Any]


def read(config: Config | None) -> dict[str, Any] | None:
    """Return the values of a configuration; raise `InvalidArgument` if it is malformed."""
    if config is None:
        return None
    if isinstance(config, Mapping):
        if not all(isinstance(name, str) for name in config):
            raise InvalidArgument("The keys of model_config must be texts.")
        return dict(config)
    path = Path(config).expanduser()
    try:
        return dict(Document.parse(read_text(path), path).content)
    except InvalidInput as error:
        raise InvalidArgument(f"model_config: {error}") from error


def effective(directory: ModelDirectory, config: Config | None) -> dict[str, Any] | None:
    """Return the saved configuration with the values that `config` replaces, or None.

    Names that were not saved are ignored with a warning in the log.
    """
    saved = _saved(directory)
    replaced = read(config) or {}
    unknown = sorted(set(replaced) - set(saved or {}))
    if unknown:
        _log.warning(
            "model_config: ignored %s, which the model was saved without", ", ".join(unknown)
        )
    if saved is None:
        return None
    return {name: replaced.get(name, value) for name, value in saved.items()}


def request(directory: ModelDirectory, config: Any) -> dict[str, Any]:
    """Return what the program that loads the model needs, with the effective configuration."""
    content = directory.request()
    if config is not None:
        content["python_function"] = {**content["python_function"], "config": config}
    return content


def _saved(directory: ModelDirectory) -> Any:
    saved = directory.python_function.config
    if not isinstance(saved, str):
        return saved
    path = directory.file(saved)
    if path is None:
        field = "flavors.python_function.config"
        raise InvalidFile(directory.mlmodel_path, field, f"there is no file {saved}")
    return read(path)
