"""Libraries that data are read with, if the model's environment has them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .signature import InvalidInput


def is_installed(library: str) -> bool:
    """Whether a library can be imported; imports it."""
    try:
        import_module(library)
    except ImportError:
        return False
    return True


def pandas_for(purpose: str) -> Any:
    """Import pandas. Raises `InvalidInput`, which names the purpose, when it is not installed."""
    try:
        return import_module("pandas")
    except ModuleNotFoundError as error:
        if error.name != "pandas":
            raise
        raise InvalidInput(
            f"{purpose} needs pandas, which is not installed in the model's environment"
        ) from error


def data_frame(source: str, data: Any, **options: Any) -> Any:
    """Make a data frame; `source` names the data in messages. Raises `InvalidInput`."""
    pandas = pandas_for(source)
    try:
        return pandas.DataFrame(data, **options)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise InvalidInput(f"{source} is not a valid data frame: {error}") from error
