"""Where code comes from: the standard library, this program, or anywhere else."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

from ..programs.describe_python import stdlib_folders

MACHINERY, STANDARD, OTHER = range(3)
"""Whose code a frame runs: of imports and the recording, of the standard library, or any other."""

BROKER = 3
"""Other code when a module of it runs; as good as the standard library in its functions."""

BROKERS = frozenset(
    {
        "cloudpickle",
        "dill",
        "importlib_metadata",
        "importlib_resources",
        "pkg_resources",
    }
)
"""Libraries whose functions import what others name, as `pickle` and `importlib.metadata` do."""

RECORDING = (  # files of this program whose frames are never the importer or the reader
    "journal.py",
    "tracing/audit_hook.py",
    "tracing/callers.py",
    "tracing/child_processes.py",
    "tracing/environment_variables.py",
    "tracing/imports.py",
    "tracing/metadata_lookups.py",
    "tracing/origins.py",
    "tracing/outside_effects.py",
    "tracing/tracer.py",
)
INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class Origins:
    """Says which files, modules and frames are the standard library's or the recording's."""

    def __init__(self) -> None:
        self._standard_folders = tuple(map(_as_prefix, stdlib_folders()))
        inside = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        library = os.path.dirname(os.path.abspath(os.__file__))
        self._kinds: dict[str, int] = {  # by file; it grows as frames are seen
            os.path.join(inside, *name.split("/")): MACHINERY for name in RECORDING
        }
        self._kinds[os.path.join(library, "importlib", "__init__.py")] = MACHINERY

    def is_standard_file(self, path: str) -> bool:
        """Whether a file belongs to the standard library itself, not to what is installed there."""
        return (
            path.startswith(self._standard_folders)
            and INSTALLED[0] not in path
            and INSTALLED[1] not in path
        )

    def is_standard_module(self, name: str, attributes: dict[str, Any]) -> bool:
        """Whether a module, given its name and attributes, belongs to the standard library."""
        file = attributes.get("__file__")
        if isinstance(file, str):
            return self.is_standard_file(file)
        origin = getattr(attributes.get("__spec__"), "origin", None)
        if origin in ("built-in", "frozen") or name in sys.builtin_module_names:
            return True
        parent = name.rpartition(".")[0]  # `typing.io` is a class that `typing` calls a module
        if not parent:
            return False
        return self.is_standard_module(parent, attributes_of_name(parent))

    def kind_of(self, frame: FrameType) -> int:
        """Say whose code the frame runs: `MACHINERY`, `STANDARD` or `OTHER`."""
        file = frame.f_code.co_filename
        kind = self._kinds.get(file)
        if kind is None:
            if file.startswith("<") and not file.startswith("<frozen "):
                # made at run time: one name stands for the code of many modules, so it is not kept
                return self._kind_of_home(frame)
            kind = self._kinds[file] = self._kind_of_file(file, frame)
        if kind != BROKER:
            return kind
        if frame.f_code.co_name == "<module>":
            return OTHER
        return STANDARD

    def _kind_of_file(self, file: str, frame: FrameType) -> int:
        """Say whose code a file holds."""
        if file.startswith(("<frozen importlib", "<frozen zipimport")):
            return MACHINERY
        if file.startswith("<frozen "):
            return STANDARD
        if top_level(str(frame.f_globals.get("__name__"))) in BROKERS:
            return BROKER
        if self.is_standard_file(file):
            return STANDARD
        return OTHER

    def _kind_of_home(self, frame: FrameType) -> int:
        """Say whose code it is by the file of the module that runs it."""
        home = frame.f_globals.get("__file__")
        if isinstance(home, str) and self.is_standard_file(home):
            return STANDARD
        return OTHER


def _as_prefix(place: str) -> str:
    """Give what the paths in a folder, or in an archive, start with."""
    if place.endswith(".zip"):
        return place
    return place + os.sep


def absolute(path: str) -> str:
    """Do as `os.path.abspath`, but fast for an absolute path, as nearly all are."""
    if path.startswith("/") and "//" not in path and "/./" not in path and "/../" not in path:
        return path
    return os.path.abspath(path)


def top_level(name: str) -> str:
    """Give the first part of a dotted name: that of the top-level module."""
    return name.partition(".")[0]


def attributes_of(module: object) -> dict[str, Any]:
    """Give a module's attributes without asking the module, which may be a lazy one."""
    try:
        attributes = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return {}
    if isinstance(attributes, dict):
        return attributes
    return {}


def attributes_of_name(name: str) -> dict[str, Any]:
    """Give the attributes of an imported module; none when no module has that name."""
    return attributes_of(sys.modules.get(name))


def file_of(name: str) -> str | None:
    """Give the file of an imported module; None without one."""
    file = attributes_of_name(name).get("__file__")
    if isinstance(file, str):
        return file
    return None
