"""Where code comes from: the standard library, this program, or anywhere else."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

from ..programs.describe_python import stdlib_folders

MACHINERY, STANDARD, OTHER = range(3)  # whose code a frame runs
BROKER = 3  # other code at its top level, as good as standard in its functions
BROKERS = frozenset(
    {"cloudpickle", "dill", "importlib_metadata", "importlib_resources", "pkg_resources"}
)
"""Libraries whose functions import what others name, as `pickle` and `importlib.metadata` do."""

RECORDING = (  # files of the package, whose frames are never who asked
    "journal.py",
    "tracing/audit_hook.py",
    "tracing/callers.py",
    "tracing/imports.py",
    "tracing/child_processes.py",
    "tracing/metadata_lookups.py",
    "tracing/origins.py",
    "tracing/outside_effects.py",
    "tracing/tracer.py",
    "tracing/environment_variables.py",
)


class Origins:
    """Tells files, modules and frames of the standard library and of the recording from all others."""

    def __init__(self) -> None:
        folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        self._standard = tuple(
            each if each.endswith(".zip") else each + os.sep for each in stdlib_folders()
        )
        library = os.path.dirname(os.path.abspath(os.__file__))
        self._kinds = {os.path.join(folder, *name.split("/")): MACHINERY for name in RECORDING}
        self._kinds[os.path.join(library, "importlib", "__init__.py")] = MACHINERY

    def is_standard_file(self, path: str) -> bool:
        """Whether the file belongs to the standard library, and not to what is installed beneath it."""
        return (
            path.startswith(self._standard)
            and f"{os.sep}site-packages{os.sep}" not in path
            and f"{os.sep}dist-packages{os.sep}" not in path
        )

    def is_standard_module(self, name: str, attributes: dict[str, Any]) -> bool:
        """Whether a module, given its name and its attributes, belongs to the standard library."""
        file = attributes.get("__file__")
        if isinstance(file, str):
            return self.is_standard_file(file)
        origin = getattr(attributes.get("__spec__"), "origin", None)
        if origin in ("built-in", "frozen") or name in sys.builtin_module_names:
            return True
        parent = name.rpartition(".")[0]  # `typing.io` is a class that `typing` calls a module
        return bool(parent) and self.is_standard_module(
            parent, attributes_of(sys.modules.get(parent))
        )

    def kind_of(self, frame: FrameType) -> int:
        """Whose code the frame runs: `MACHINERY` (imports, recording), `STANDARD` (library) or `OTHER`."""
        file = frame.f_code.co_filename
        kind = self._kinds.get(file)
        if kind is not None:
            if kind == BROKER:
                if frame.f_code.co_name == "<module>":
                    return OTHER
                return STANDARD
            return kind
        if not file.startswith("<"):
            kind = STANDARD if self.is_standard_file(file) else OTHER
            if str(frame.f_globals.get("__name__")).partition(".")[0] in BROKERS:
                kind = BROKER
        elif file.startswith("<frozen "):
            if file.startswith(("<frozen importlib", "<frozen zipimport")):
                kind = MACHINERY
            else:
                kind = STANDARD
        else:  # made at run time: the same name stands for the code of many modules
            home = frame.f_globals.get("__file__")
            if isinstance(home, str) and self.is_standard_file(home):
                return STANDARD
            return OTHER
        self._kinds[file] = kind
        return self.kind_of(frame)


def absolute(path: str) -> str:
    """Give the path as `os.path.abspath` does, but at once where nothing is to be done, which is nearly always."""
    if path.startswith("/") and "//" not in path and "/./" not in path and "/../" not in path:
        return path
    return os.path.abspath(path)


def attributes_of(module: object) -> dict[str, Any]:
    """Give a module's attributes without asking the module, which may be one that loads itself when asked."""
    try:
        found = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return {}
    if isinstance(found, dict):
        return found
    return {}
