"""Recording of imports: a finder for what is not cached, wrappers of two functions for what is.

An import statement calls `builtins.__import__`; `importlib.import_module`, also where it was bound
long before, calls `importlib._bootstrap._gcd_import`. Both find cached modules without asking a
finder.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any, Callable, Iterator, Sequence

from .callers import Callers, as_importer
from .origins import Origins, absolute, attributes_of

OWN = "_envkit"
_bootstrap: Any = importlib.import_module("importlib._bootstrap")
Tell = Callable[..., None]


class Finder:
    """First on `sys.meta_path`: searches with all the others and tells what they found before it runs.

    Only for imports. Others who ask for a spec (`importlib.util.find_spec`, `pkgutil`) are not
    answered, so that the search goes on as if this finder were not there; asking is not importing.
    """

    def __init__(
        self, tell: Tell, origins: Origins, callers: Callers, prepare: Callable[[ModuleSpec], None]
    ) -> None:
        """`prepare`: is shown what was found."""
        self._tell, self._origins, self._callers, self._prepare = tell, origins, callers, prepare
        self._search_code = _bootstrap._find_spec.__code__
        self._import_code = _bootstrap._find_and_load_unlocked.__code__
        self.told: set[str] = set()
        self.files: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """Find a module that is about to be imported; None for everyone else and when it cannot be found."""
        frame = sys._getframe(1)
        importing = frame.f_back
        if (
            importing is None
            or frame.f_code is not self._search_code
            or importing.f_code is not self._import_code
        ):
            return None
        spec = self._search(name, path, target)
        if spec is not None and name not in self.told:
            self._prepare(spec)
            self._record(name, spec, importing)
        return spec

    def _search(self, name: str, path: Sequence[str] | None, target: Any) -> ModuleSpec | None:
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

    def _record(self, name: str, spec: ModuleSpec, frame: FrameType) -> None:
        file = spec.origin if spec.has_location else None
        if file is not None:
            self.files.add(file)
        if file is None:
            if spec.origin in ("built-in", "frozen"):
                return
        elif self._origins.is_standard_file(file):
            return
        if name.startswith(OWN):
            return
        self.told.add(name)
        caller = self._callers.behind(frame.f_back)
        top = name.partition(".")[0]
        own = caller is not None and caller.name.partition(".")[0] == top and is_regular(top)
        file = None if file is None else absolute(file)
        self._tell(event="module", module=name, file=file, **as_importer(caller, own=own))


class ImportCalls:
    """Wrappers of the two functions that import; they tell of each (importer, module) once.

    Most calls are for the standard library, or repeat one that was seen before; that is found out
    before anything else.
    """

    def __init__(self, tell: Tell, origins: Origins, callers: Callers) -> None:
        self._tell, self._origins, self._callers = tell, origins, callers
        self._ignored: set[str] = set()  # full names within the standard library
        self._seen: set[Any] = set()
        self._told: set[tuple[str, str]] = set()
        self._standard: dict[str, bool] = {OWN: True}
        self._regular: dict[str, bool] = {}

    def install(self) -> None:
        """Replace both functions."""
        builtins.__import__ = self._wrapped_import(builtins.__import__)
        _bootstrap._gcd_import = self._wrapped_import_module(_bootstrap._gcd_import)

    def _wrapped_import(self, original: Callable[..., ModuleType]) -> Callable[..., ModuleType]:
        ignored, seen, note = self._ignored, self._seen, self._note_statement

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
            except (KeyError, TypeError):  # no globals, or a list: a call from C or by hand
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
        seen, note = self._seen, self._note_absolute
        callers = (importlib.import_module.__code__, _bootstrap.__import__.__code__)

        def _gcd_import(name: str, package: str | None = None, level: int = 0) -> ModuleType:
            module = original(name, package, level)
            frame = sys._getframe(1)
            if frame.f_code in callers and frame.f_back is not None:
                if level:
                    absolute = _bootstrap._resolve_name(name, package, level)
                else:
                    absolute = name
                key = (frame.f_back.f_globals.get("__name__"), absolute)
                if key not in seen and note(absolute, key[0], (), frame.f_back):
                    seen.add(key)
            return module

        return _gcd_import

    def _note_statement(self, name: str, attributes: Any, fromlist: Any, level: int) -> bool:
        """Tell of an import statement; whether its like need not be looked at again."""
        if not isinstance(attributes, dict):
            attributes = {}
        importer = attributes.get("__name__")
        if level:
            if isinstance(importer, str) and self._is_regular(importer.partition(".")[0]):
                return True
            name = _absolute(name, attributes, level)
        return self._note_absolute(name, importer, fromlist or (), sys._getframe(1).f_back)

    def _note_absolute(
        self, name: str, importer: Any, fromlist: Sequence[str], frame: FrameType | None
    ) -> bool:
        top = name.partition(".")[0]
        if self._is_standard(top):
            self._ignored.add(name)
            return True
        if (
            isinstance(importer, str)
            and importer.partition(".")[0] == top
            and self._is_regular(top)
        ):
            return True
        caller = self._callers.behind(frame)
        if caller is None:
            return False
        for module in _modules_named(name, fromlist):
            self._note_module(module, top, caller)
        return caller.frame is frame

    def _note_module(self, module: str, top: str, caller: Any) -> None:
        key = (caller.name, module)
        if key in self._told:
            return
        self._told.add(key)
        if caller.name.partition(".")[0] != top or not self._is_regular(top):
            self._tell(event="import", module=module, file=_file_of(module), **as_importer(caller))

    def _is_standard(self, top: str) -> bool:
        known = self._standard.get(top)
        if known is None:
            known = self._origins.is_standard_module(top, attributes_of(sys.modules.get(top)))
            self._standard[top] = known
        return known

    def _is_regular(self, top: str) -> bool:
        known = self._regular.get(top)
        if known is None:
            known = is_regular(top)
            self._regular[top] = known
        return known


def is_regular(top: str) -> bool:
    """Whether a top-level module is one that a single distribution holds whole: not a namespace package."""
    attributes = attributes_of(sys.modules.get(top))
    return "__path__" not in attributes or attributes.get("__file__") is not None


def _absolute(name: str, attributes: dict[str, Any], level: int) -> str:
    package = attributes.get("__package__")
    if not isinstance(package, str):
        package = str(attributes.get("__name__", ""))
        if "__path__" not in attributes:
            package = package.rpartition(".")[0]
    base = package.rsplit(".", level - 1)[0] if level > 1 else package
    if name:
        return f"{base}.{name}"
    return base


def _modules_named(name: str, fromlist: Sequence[str]) -> Iterator[str]:
    """Yield what `from name import fromlist` names: submodules, and `name` itself for everything else."""
    rest = not fromlist
    for each in fromlist:
        submodule = f"{name}.{each}"
        if submodule in sys.modules:
            yield submodule
        else:
            rest = True
    if rest:
        yield name


def _file_of(module: str) -> str | None:
    file = attributes_of(sys.modules.get(module)).get("__file__")
    if isinstance(file, str):
        return absolute(file)
    return None
