"""Bytecode: the model's own code is imported without a trace of it, and what could not keep any is told of."""

from __future__ import annotations

import os
import sys
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from typing import Any, List

from .origins import attributes_of


class TracelessLoader(SourceFileLoader):
    """Imports a source file and keeps the bytecode to itself."""

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Write nothing."""


def leave_no_trace_in(model: str) -> None:
    """Have every import from below the folder `model` go through `TracelessLoader`."""
    below = os.path.join(os.path.abspath(model), "")
    find = FileFinder.path_hook(
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (TracelessLoader, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    )

    def hook(path: str) -> Any:
        if not os.path.join(os.path.abspath(path), "").startswith(below):
            raise ImportError(f"{path} is not of the model")
        return find(path)

    sys.path_hooks.insert(0, hook)
    for path in [
        each for each in sys.path_importer_cache if os.path.join(each, "").startswith(below)
    ]:
        del sys.path_importer_cache[path]


def not_kept() -> List[str]:
    """Give the source files that were imported and have no bytecode, since it could not be written."""
    found = []
    for module in list(sys.modules.values()):
        spec = attributes_of(module).get("__spec__")
        loader, cached = getattr(spec, "loader", None), getattr(spec, "cached", None)
        if type(loader) is SourceFileLoader and cached and not os.path.exists(cached):
            found.append(str(loader.path))
    return sorted(found)
