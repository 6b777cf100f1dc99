"""What the start of the interpreter left in `builtins`: `.pth` files, and what they import, can put names there."""

from __future__ import annotations

import builtins
import os
import re
import sys
from typing import Any, Iterator

from .origins import Origins, absolute, attributes_of

OF_SITE = frozenset({"copyright", "credits", "exit", "help", "license", "quit", "_"})
CONSTANTS = frozenset({"Ellipsis", "False", "None", "NotImplemented", "True", "open"})


def names_in_builtins(origins: Origins) -> Iterator[dict[str, Any]]:
    """Yield an event for each name that is not Python's own; called before anything of the model runs."""
    found = [name for name, value in vars(builtins).items() if not _is_pythons(name, value)]
    if not found:
        return
    places = list(_places(origins))
    for name in found:
        word = re.compile(rb"\b" + re.escape(name.encode()) + rb"\b")
        path = next((path for path, text in places if word.search(text)), None)
        yield {"event": "builtin", "name": name, "path": path}


def _is_pythons(name: str, value: Any) -> bool:
    if name in CONSTANTS or name in OF_SITE or (name.startswith("__") and name.endswith("__")):
        return True
    return getattr(value, "__module__", None) == "builtins"


def _places(origins: Origins) -> Iterator[tuple[str, bytes]]:
    """Yield the code that ran when the interpreter started, with its text: modules, then `.pth` files."""
    for name, module in list(sys.modules.items()):
        attributes = attributes_of(module)
        file = attributes.get("__file__")
        if (
            isinstance(file, str)
            and name.partition(".")[0] != "_envkit"
            and not origins.is_standard_file(file)
        ):
            yield from _read(absolute(file))
    for folder in sys.path:
        if os.path.isdir(folder):
            for name in sorted(os.listdir(folder)):
                if name.endswith(".pth"):
                    yield from _read(absolute(os.path.join(folder, name)))


def _read(path: str) -> Iterator[tuple[str, bytes]]:
    try:
        with open(path, "rb") as stream:
            yield path, stream.read()
    except OSError:
        return
