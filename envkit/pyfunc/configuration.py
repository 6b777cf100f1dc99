"""`model_config`: what a model is configured with, as a dict or a YAML file."""

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


def read(given: Config | None) -> dict[str, Any] | None:
    """Give the values; None for none. Raises `InvalidArgument`."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        if not all(isinstance(each, str) for each in given):
            raise InvalidArgument("model_config is a dict whose keys are texts.")
        return dict(given)
    path = Path(given).expanduser()
    try:
        return dict(Document.parse(read_text(path), path).content)
    except InvalidInput as error:
        raise InvalidArgument(f"model_config: {error}") from error


def effective(directory: ModelDirectory, given: Config | None) -> Any:
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


def request(directory: ModelDirectory, config: Any) -> dict[str, Any]:
    """Give what the program that loads the model must know."""
    found = directory.request()
    if config is not None:
        found["python_function"] = {**found["python_function"], "config": config}
    return found
