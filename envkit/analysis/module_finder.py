"""Where an import would find a module, looked up without importing anything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from envkit.interpreters.facts import InterpreterFacts

BUILT_IN = frozenset(
    {
        *sys.stdlib_module_names,
        *sys.builtin_module_names,
        "distutils",
        "imp",
        "asynchat",
        "asyncore",
    }
)
STANDARD = "<standard library>"


class Modules:
    """The modules of one interpreter, before which those of the model come.

    editables: gives the packages, or modules, that development installs add to the search path by
    an import hook; asked for what is found nowhere else.
    """

    def __init__(
        self,
        interpreter: InterpreterFacts,
        own: Sequence[Path],
        editables: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._editables = editables
        self._folders = [*own, *(Path(each) for each in interpreter.sys_path)]
        self._files: dict[str, str | None] = {}
        self._listed: dict[Path, frozenset[str]] = {}

    def find(self, module: str) -> str | None:
        """The file of a module, `STANDARD` for one that is built in, None when an import would fail."""
        if module not in self._files:
            self._files[module] = self._search(module)
        return self._files[module]

    def nearest(self, names: Iterable[str]) -> tuple[str, str] | None:
        """The first name that is a module, else the nearest package around the last one, with its file."""
        *_, last = tried = list(names)
        parts = last.split(".")
        tried += [".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]
        return next(((name, file) for name in tried if (file := self.find(name)) is not None), None)

    def _search(self, module: str) -> str | None:
        parts = module.split(".")
        found = self._below(self._folders, parts)
        if found is None and parts[0] not in BUILT_IN:
            hooked = [
                Path(each).parent for each in self._editables() if Path(each).stem == parts[0]
            ]
            found = self._below(hooked, parts) if hooked else None
        if found is None and parts[0] in BUILT_IN:
            return STANDARD
        return found

    def _below(self, folders: Sequence[Path], parts: Sequence[str]) -> str | None:
        found = None
        for part in parts:
            found, folders = self._in(folders, part)
            if found is None and not folders:
                return None
        return found or _file_in(folders) or STANDARD

    def _in(self, folders: Sequence[Path], name: str) -> tuple[str | None, list[Path]]:
        """The file of one part of a name, and the folders in which the next part is to be sought."""
        namespace: list[Path] = []
        for folder in folders:
            package = folder / name
            for candidate in self._candidates(folder, name):
                if candidate == name:
                    init = next(
                        (
                            package / each
                            for each in ("__init__.py", "__init__.pyc")
                            if each in self._list(package)
                        ),
                        None,
                    )
                    if init is not None:
                        return str(init), [package]
                    if package.is_dir():
                        namespace.append(package)
                else:
                    return str(folder / candidate), []
        return None, namespace

    def _candidates(self, folder: Path, name: str) -> list[str]:
        """Entries of the folder that an import of the name would look at: the package first."""
        entries = self._list(folder)
        start = f"{name}."
        fitting = (
            each
            for each in entries
            if each.startswith(start) and each.endswith((".py", ".so", ".pyd", ".pyc"))
        )
        whole = [each for each in fitting if each == f"{name}.py" or not each.endswith(".py")]
        return ([name] if name in entries else []) + sorted(
            whole, key=lambda each: not each.endswith((".so", ".pyd"))
        )

    def _list(self, folder: Path) -> frozenset[str]:
        if folder not in self._listed:
            try:
                self._listed[folder] = frozenset(each.name for each in folder.iterdir())
            except OSError:
                self._listed[folder] = frozenset()
        return self._listed[folder]


def _file_in(namespace: Sequence[Path]) -> str | None:
    """A file directly in a package that has no code of its own, such as one of data; the owner is the package's."""
    for folder in namespace:
        file = next((each for each in sorted(folder.iterdir()) if each.is_file()), None)
        if file is not None:
            return str(file)
    return None
