"""Names that the start of the interpreter left in `builtins`: `.pth` files, and what they import, can do that."""

from __future__ import annotations

import builtins
import os
import re
import sys
from typing import Any, Dict, Iterator, Tuple

from .origins import Origins, absolute, attributes_of

OF_SITE = frozenset({"copyright", "credits", "exit", "help", "license", "quit", "_"})
CONSTANTS = frozenset({"Ellipsis", "False", "None", "NotImplemented", "True", "open"})


def foreign_names(origins: Origins) -> Iterator[Dict[str, Any]]:
    """Yield an event for each name that is not Python's own; called before anything of the model runs."""
    names = [name for name, value in vars(builtins).items() if not _is_pythons(name, value)]
    if not names:
        return
    sources = list(_sources(origins))
    for name in names:
        yield {"event": "builtin", "name": name, "path": _source_of(name, sources)}


def _is_pythons(name: str, value: Any) -> bool:
    if name in CONSTANTS or name in OF_SITE or (name.startswith("__") and name.endswith("__")):
        return True
    return getattr(value, "__module__", None) == "builtins"


def _source_of(name: str, sources: list[Tuple[str, bytes]]) -> str | None:
    word = re.compile(rb"\b" + re.escape(name.encode()) + rb"\b")
    for path, text in sources:
        if word.search(text):
            return path
    return None


def _sources(origins: Origins) -> Iterator[Tuple[str, bytes]]:
    """Yield the code that ran when the interpreter started, as (path, text): modules, then `.pth` files."""
    for name, module in list(sys.modules.items()):
        file = attributes_of(module).get("__file__")
        if not isinstance(file, str) or name.partition(".")[0] == "_envkit":
            continue
        if not origins.is_standard_file(file):
            yield from _read(absolute(file))
    for folder in sys.path:
        if os.path.isdir(folder):
            for name in sorted(os.listdir(folder)):
                if name.endswith(".pth"):
                    yield from _read(absolute(os.path.join(folder, name)))


def _read(path: str) -> Iterator[Tuple[str, bytes]]:
    try:
        with open(path, "rb") as stream:
            yield path, stream.read()
    except OSError:
        return
