"""Bytecode of imported modules: none is left in the model, and what could not be kept is listed."""

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
from typing import Any

from .tracing.origins import attributes_of


class NoBytecodeLoader(SourceFileLoader):
    """Imports a source file without writing bytecode."""

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Write nothing."""


def keep_bytecode_out_of(folder: str) -> None:
    """Have every import from below the folder use `NoBytecodeLoader`."""
    below = os.path.join(os.path.abspath(folder), "")
    find = FileFinder.path_hook(
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (NoBytecodeLoader, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    )

    def hook(path: str) -> Any:
        if not os.path.join(os.path.abspath(path), "").startswith(below):
            raise ImportError(f"{path} is not below {folder}")
        return find(path)

    sys.path_hooks.insert(0, hook)
    for path in list(sys.path_importer_cache):
        if os.path.join(path, "").startswith(below):
            del sys.path_importer_cache[path]


def not_kept() -> list[str]:
    """List the imported source files whose bytecode could not be written."""
    files = []
    for module in list(sys.modules.values()):
        spec = attributes_of(module).get("__spec__")
        loader = getattr(spec, "loader", None)
        cached = getattr(spec, "cached", None)
        if type(loader) is SourceFileLoader and cached and not os.path.exists(cached):
            files.append(str(loader.path))
    return sorted(files)
