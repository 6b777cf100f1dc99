"""Where an import would find a module, looked up without importing anything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from envkit.interpreters.facts import InterpreterFacts

REMOVED = ("distutils", "imp", "asynchat", "asyncore")  # from the standard library, in Python 3.12
BUILT_IN = frozenset({*sys.stdlib_module_names, *sys.builtin_module_names, *REMOVED})
STANDARD = "<standard library>"
COMPILED = (".so", ".pyd")
SUFFIXES = (*COMPILED, ".pyc")


class Modules:
    """The modules of one interpreter, after those of the model.

    editables: returns the packages and modules that development installs add to the search path
    with an import hook. They are searched for modules that are not found elsewhere.
    """

    def __init__(
        self,
        interpreter: InterpreterFacts,
        own: Sequence[Path],
        editables: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._editables = editables
        self._folders = [*own, *map(Path, interpreter.sys_path)]
        self._files: dict[str, str | None] = {}
        self._listed: dict[Path, frozenset[str]] = {}

    def find(self, module: str) -> str | None:
        """The file of a module; `STANDARD` for a built-in one, None if an import would fail."""
        if module not in self._files:
            self._files[module] = self._search(module)
        return self._files[module]

    def nearest(self, names: Sequence[str]) -> tuple[str, str] | None:
        """The first name that is a module, with its file.

        If none is, the nearest package around the last name.
        """
        for name in (*names, *_packages_around(names[-1])):
            file = self.find(name)
            if file is not None:
                return name, file
        return None

    def _search(self, module: str) -> str | None:
        parts = module.split(".")
        is_built_in = parts[0] in BUILT_IN
        file = self._search_below(self._folders, parts)
        if file is None and not is_built_in:
            hooked = [Path(path) for path in self._editables()]
            folders = [path.parent for path in hooked if path.stem == parts[0]]
            if folders:
                file = self._search_below(folders, parts)
        if file is None and is_built_in:
            return STANDARD
        return file

    def _search_below(self, folders: Sequence[Path], parts: Sequence[str]) -> str | None:
        file = None
        for part in parts:
            file, folders = self._find_part(folders, part)
            if file is None and not folders:
                return None
        return file or _file_in_namespace(folders) or STANDARD

    def _find_part(self, folders: Sequence[Path], name: str) -> tuple[str | None, list[Path]]:
        """The file of one part of a dotted name, and the folders to search for the next part."""
        namespace: list[Path] = []
        for folder in folders:
            for entry in self._entries_for(folder, name):
                if entry != name:
                    return str(folder / entry), []
                package = folder / name
                for init in ("__init__.py", "__init__.pyc"):
                    if init in self._list(package):
                        return str(package / init), [package]
                if package.is_dir():
                    namespace.append(package)
        return None, namespace

    def _entries_for(self, folder: Path, name: str) -> Iterator[str]:
        """Yield the entries that an import looks at: package, compiled module, source, bytecode."""
        entries = self._list(folder)
        if name in entries:
            yield name
        modules = [entry for entry in entries if _is_module(entry, name)]
        yield from sorted(modules, key=lambda entry: not entry.endswith(COMPILED))

    def _list(self, folder: Path) -> frozenset[str]:
        if folder not in self._listed:
            try:
                self._listed[folder] = frozenset(path.name for path in folder.iterdir())
            except OSError:
                self._listed[folder] = frozenset()
        return self._listed[folder]


def _is_module(entry: str, name: str) -> bool:
    """Whether a file is a module of that name, such as `name.cpython-311-x86_64-linux-gnu.so`."""
    if not entry.startswith(f"{name}."):
        return False
    if entry.endswith(".py"):
        return entry == f"{name}.py"
    return entry.endswith(SUFFIXES)


def _packages_around(module: str) -> Iterator[str]:
    """Yield `a.b` and `a` for `a.b.c`."""
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


def _file_in_namespace(folders: Sequence[Path]) -> str | None:
    """A file directly in a package without code of its own, such as one of data.

    It belongs to the distribution of the package.
    """
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.is_file():
                return str(path)
    return None
