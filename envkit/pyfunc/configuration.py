"""`model_config`: what a model is configured with, as a dict or a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument, InvalidInput
from envkit.formats.document import Document
from envkit.formats.text import read_text

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
