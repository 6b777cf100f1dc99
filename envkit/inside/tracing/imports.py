"""Recording of imports: by a finder, and wrappers of two functions for cached modules.

An import statement calls `builtins.__import__`; `importlib.import_module`, also where a module has
its own reference to it, calls `importlib._bootstrap._gcd_import`. Both find cached modules without
asking a finder.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any, Callable, Iterator, Sequence

from .callers import AnyCaller, Callers, Record, as_importer
from .origins import Origins, absolute, attributes_of_name, file_of, top_level

OWN = "_envkit"
_bootstrap: Any = importlib.import_module("importlib._bootstrap")


class RecordingFinder:
    """First on `sys.meta_path`: asks all other finders, and records what they find.

    Only for imports. Others who ask for a spec (`importlib.util.find_spec`, `pkgutil`) get no
    answer, so that the search goes on without this finder; asking is not importing.

    recorded: names of the modules that have an event. files: of all modules that were found.
    """

    def __init__(
        self,
        record: Record,
        origins: Origins,
        callers: Callers,
        prepare: Callable[[ModuleSpec], None],
    ) -> None:
        """`prepare`: is called with each spec before its module runs."""
        self._record = record
        self._origins = origins
        self._callers = callers
        self._prepare = prepare
        self._search_code = _bootstrap._find_spec.__code__
        self._import_code = _bootstrap._find_and_load_unlocked.__code__
        self.recorded: set[str] = set()
        self.files: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """Find a module that is about to be imported.

        None for everyone else and when it does not exist.
        """
        search = sys._getframe(1)
        importing = search.f_back
        if importing is None or search.f_code is not self._search_code:
            return None
        if importing.f_code is not self._import_code:
            return None
        spec = self._search(name, path, target)
        if spec is not None and name not in self.recorded:
            self._prepare(spec)
            self._note(name, spec, importing)
        return spec

    def _search(self, name: str, path: Sequence[str] | None, target: Any) -> ModuleSpec | None:
        """Ask the other finders, as `importlib` does."""
        for finder in tuple(sys.meta_path):
            if finder is self:
                continue
            if hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
            elif hasattr(_bootstrap, "_find_spec_legacy"):  # until Python 3.11
                spec = _bootstrap._find_spec_legacy(finder, name, path)
            else:
                continue
            if spec is not None:
                return spec
        return None

    def _note(self, name: str, spec: ModuleSpec, frame: FrameType) -> None:
        """Record a module that was found, unless it is the standard library's or envkit's."""
        file = spec.origin if spec.has_location else None
        if file is None and spec.origin in ("built-in", "frozen"):
            return
        if file is not None:
            self.files.add(file)
            if self._origins.is_standard_file(file):
                return
            file = absolute(file)
        if name.startswith(OWN):
            return
        self.recorded.add(name)
        caller = self._callers.find(frame.f_back)
        top = top_level(name)
        within_package = _is_in_package(caller, top) and is_regular(top)
        importer = as_importer(caller, within_package=within_package)
        self._record(
            event="module",
            module=name,
            file=file,
            **importer,
        )


class ImportCalls:
    """Wrappers of the two functions that import; they record each (importer, module) once.

    Most calls are for the standard library, or repeat an earlier one: two sets find that out before
    anything else.
    """

    def __init__(self, record: Record, origins: Origins, callers: Callers) -> None:
        self._record = record
        self._origins = origins
        self._callers = callers
        self._ignored: set[str] = set()  # full names of modules of the standard library
        self._seen: set[Any] = set()  # calls that need not be looked at again
        self._recorded: set[tuple[str, str]] = set()
        self._standard: dict[str, bool] = {OWN: True}  # by top-level name
        self._regular: dict[str, bool] = {}  # by top-level name

    def install(self) -> None:
        """Replace both functions."""
        builtins.__import__ = self._wrapped_import(builtins.__import__)
        _bootstrap._gcd_import = self._wrapped_import_module(_bootstrap._gcd_import)

    def _wrapped_import(self, original: Callable[..., ModuleType]) -> Callable[..., ModuleType]:
        """Wrap the function of import statements."""
        ignored, seen, note = (
            self._ignored,
            self._seen,
            self._note_statement,
        )  # fast as locals

        def __import__(  # noqa: A001, N807
            name: str,
            globals: Any = None,  # noqa: A002
            locals: Any = None,  # noqa: A002
            fromlist: Any = (),
            level: int = 0,
        ) -> ModuleType:
            if level == 0 and name in ignored:
                return original(name, globals, locals, fromlist, level)
            try:
                key = (globals["__name__"], name, fromlist, level)
                known = key in seen
            except (
                KeyError,
                TypeError,
            ):  # no globals, or a list: a call from C or by hand
                key, known = None, False
            if known:
                return original(name, globals, locals, fromlist, level)
            module = original(name, globals, locals, fromlist, level)
            if note(name, globals, fromlist, level) and key is not None:
                seen.add(key)
            return module

        return __import__

    def _wrapped_import_module(
        self, original: Callable[..., ModuleType]
    ) -> Callable[..., ModuleType]:
        """Wrap the function behind `importlib.import_module`."""
        seen, note = self._seen, self._note_absolute  # fast as locals
        callers = (
            importlib.import_module.__code__,
            _bootstrap.__import__.__code__,
        )

        def _gcd_import(name: str, package: str | None = None, level: int = 0) -> ModuleType:
            module = original(name, package, level)
            frame = sys._getframe(1)
            if frame.f_code in callers and frame.f_back is not None:
                full_name = name
                if level:
                    full_name = _bootstrap._resolve_name(name, package, level)
                importer = frame.f_back.f_globals.get("__name__")
                key = (importer, full_name)
                if key not in seen and note(full_name, importer, (), frame.f_back):
                    seen.add(key)
            return module

        return _gcd_import

    def _note_statement(
        self,
        name: str,
        attributes: Any,
        fromlist: Any,
        level: int,
    ) -> bool:
        """Record an import statement; give whether the same call need not be looked at again."""
        if not isinstance(attributes, dict):
            attributes = {}
        importer = attributes.get("__name__")
        if level:
            if isinstance(importer, str) and self._is_regular(top_level(importer)):
                return True  # a relative import stays within the package
            name = _full_name(name, attributes, level)
        return self._note_absolute(name, importer, fromlist or (), sys._getframe(1).f_back)

    def _note_absolute(
        self,
        name: str,
        importer: Any,
        fromlist: Sequence[str],
        frame: FrameType | None,
    ) -> bool:
        """Record an import by full name; give whether the same call need not be looked at again."""
        top = top_level(name)
        if self._is_standard(top):
            self._ignored.add(name)
            return True
        is_in_package = isinstance(importer, str) and top_level(importer) == top
        if is_in_package and self._is_regular(top):
            return True
        caller = self._callers.find(frame)
        if caller is None:
            return False
        for module in _modules_named(name, fromlist):
            self._note_module(module, top, caller)
        return caller.frame is frame  # else the key of the call does not say who the caller is

    def _note_module(self, module: str, top: str, caller: AnyCaller) -> None:
        """Record one module, once for each importer."""
        key = (caller.name, module)
        if key in self._recorded:
            return
        self._recorded.add(key)
        if not _is_in_package(caller, top) or not self._is_regular(top):
            importer = as_importer(caller)
            self._record(
                event="import",
                module=module,
                file=_file_of(module),
                **importer,
            )

    def _is_standard(self, top: str) -> bool:
        """Whether a top-level module belongs to the standard library; remembered."""
        known = self._standard.get(top)
        if known is None:
            attributes = attributes_of_name(top)
            known = self._standard[top] = self._origins.is_standard_module(top, attributes)
        return known

    def _is_regular(self, top: str) -> bool:
        """As `is_regular`; remembered."""
        known = self._regular.get(top)
        if known is None:
            known = self._regular[top] = is_regular(top)
        return known


def is_regular(top: str) -> bool:
    """Whether one distribution holds all of a top-level module: it is not a namespace package."""
    attributes = attributes_of_name(top)
    return "__path__" not in attributes or attributes.get("__file__") is not None


def _is_in_package(caller: AnyCaller | None, top: str) -> bool:
    """Whether the caller belongs to a top-level module."""
    return caller is not None and top_level(caller.name) == top


def _full_name(name: str, attributes: dict[str, Any], level: int) -> str:
    """Resolve the name of a relative import, as `importlib` does."""
    package = attributes.get("__package__")
    if not isinstance(package, str):
        package = str(attributes.get("__name__", ""))
        if "__path__" not in attributes:
            package = package.rpartition(".")[0]
    if level > 1:
        package = package.rsplit(".", level - 1)[0]
    if name:
        return f"{package}.{name}"
    return package


def _modules_named(name: str, fromlist: Sequence[str]) -> Iterator[str]:
    """Yield what `from name import fromlist` imports: submodules, and else `name` itself."""
    needs_name = not fromlist
    for item in fromlist:
        submodule = f"{name}.{item}"
        if submodule in sys.modules:
            yield submodule
        else:
            needs_name = True
    if needs_name:
        yield name


def _file_of(module: str) -> str | None:
    """Give the file of an imported module; None without one."""
    file = file_of(module)
    if file is not None:
        return absolute(file)
    return None
