"""Recording of distributions that are looked up by name, as `metadata.version` does.

Whoever looks through everything that is installed reads the same files; only who looks one up by
its name needs that one.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType
from typing import Any, Callable

from .callers import Callers, Record

MODULES = ("importlib.metadata", "importlib_metadata")
FILE = "METADATA"


class MetadataLookups:
    """A wrapper of `Distribution.from_name`, which is put in place when its module is imported."""

    def __init__(self, record: Record, callers: Callers) -> None:
        self._record = record
        self._callers = callers
        self._seen: set[str] = set()

    def install(self) -> None:
        """Wrap it where its module is imported already."""
        for name in MODULES:
            module = sys.modules.get(name)
            if module is not None:
                self._wrap(module)

    def prepare(self, spec: ModuleSpec) -> None:
        """Wrap it once the module of the spec, which is about to be imported, has run."""
        if spec.name in MODULES and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path, self._wrap)

    def _wrap(self, module: ModuleType) -> None:
        """Replace `Distribution.from_name` of a module."""
        distribution_class: Any = getattr(module, "Distribution", None)
        from_name_method = getattr(distribution_class, "from_name", None)
        original = getattr(from_name_method, "__func__", None)
        if original is None:
            return

        def from_name(cls: Any, name: str) -> Any:
            distribution = original(cls, name)
            self._note(distribution)
            return distribution

        distribution_class.from_name = classmethod(from_name)

    def _note(self, distribution: Any) -> None:
        """Record a distribution that was found, once."""
        path = str(getattr(distribution, "_path", ""))
        if path and path not in self._seen:
            self._seen.add(path)
            self._record(
                event="metadata",
                path=f"{path}/{FILE}",
                **self._callers.reader(),
            )


class _Loader(SourceFileLoader):
    """Calls a function with the module that it has loaded."""

    def __init__(self, name: str, path: str, after: Callable[[ModuleType], None]) -> None:
        super().__init__(name, path)
        self._after = after

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        self._after(module)
