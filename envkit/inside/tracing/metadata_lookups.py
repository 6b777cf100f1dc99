"""Recording of distributions whose metadata are asked for by name, as `importlib.metadata.version` does.

Whoever looks through all that is installed reads the same files; only who asks for one by its name
needs that one.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType
from typing import Any, Callable

from .callers import Callers, as_reader

MODULES = ("importlib.metadata", "importlib_metadata")
FILE = "METADATA"


class Named:
    """A wrapper of `Distribution.from_name`, put there when its module is imported."""

    def __init__(self, tell: Callable[..., None], callers: Callers) -> None:
        self._tell, self._callers = tell, callers
        self._seen: set[str] = set()

    def install(self) -> None:
        """Wrap it where it is imported already."""
        for name in MODULES:
            module = sys.modules.get(name)
            if module is not None:
                self._wrap(module)

    def prepare(self, spec: ModuleSpec) -> None:
        """Have it wrapped once the module that was found has run."""
        if spec.name in MODULES and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path, self._wrap)

    def _wrap(self, module: ModuleType) -> None:
        kind: Any = getattr(module, "Distribution", None)
        original = getattr(getattr(kind, "from_name", None), "__func__", None)
        if original is None:
            return

        def from_name(cls: Any, name: str) -> Any:
            found = original(cls, name)
            self._note(found)
            return found

        kind.from_name = classmethod(from_name)

    def _note(self, found: Any) -> None:
        path = str(getattr(found, "_path", ""))
        if path and path not in self._seen:
            caller = self._callers.behind(sys._getframe(2))
            self._seen.add(path)
            self._tell(event="metadata", path=f"{path}/{FILE}", **as_reader(caller))


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, done: Callable[[ModuleType], None]) -> None:
        super().__init__(name, path)
        self._done = done

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        self._done(module)
