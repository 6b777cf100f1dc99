"""Names that `.pth` files, and what they import, put into `builtins` at start-up."""

from __future__ import annotations

import builtins
import os
import re
import sys
from typing import Any, Iterator

from .origins import Origins, absolute, file_of, top_level

OF_SITE = frozenset({"copyright", "credits", "exit", "help", "license", "quit", "_"})
CONSTANTS = frozenset({"Ellipsis", "False", "None", "NotImplemented", "True", "open"})


def foreign_names(origins: Origins) -> Iterator[dict[str, Any]]:
    """Yield an event for each name that is not Python's own.

    Called before anything of the model runs.
    """
    names = [name for name, value in vars(builtins).items() if not _is_pythons(name, value)]
    if not names:
        return
    sources = list(_sources(origins))
    for name in names:
        yield {
            "event": "builtin",
            "name": name,
            "path": _source_of(name, sources),
        }


def _is_pythons(name: str, value: Any) -> bool:
    """Whether Python itself, or its `site` module, puts a name there."""
    if name in CONSTANTS or name in OF_SITE or (name.startswith("__") and name.endswith("__")):
        return True
    return getattr(value, "__module__", None) == "builtins"


def _source_of(name: str, sources: list[tuple[str, bytes]]) -> str | None:
    """Find the first source that contains the name."""
    word = re.compile(rb"\b" + re.escape(name.encode()) + rb"\b")
    for path, text in sources:
        if word.search(text):
            return path
    return None


def _sources(origins: Origins) -> Iterator[tuple[str, bytes]]:
    """Yield the code that ran at start-up, as (path, text): modules, then `.pth` files."""
    for name in list(sys.modules):
        file = file_of(name)
        if file is None or top_level(name) == "_envkit":
            continue
        if not origins.is_standard_file(file):
            yield from _read(absolute(file))
    for folder in sys.path:
        if os.path.isdir(folder):
            for name in sorted(os.listdir(folder)):
                if name.endswith(".pth"):
                    yield from _read(absolute(os.path.join(folder, name)))


def _read(path: str) -> Iterator[tuple[str, bytes]]:
    """Yield a file with its content, if it can be read."""
    try:
        with open(path, "rb") as stream:
            yield path, stream.read()
    except OSError:
        return
