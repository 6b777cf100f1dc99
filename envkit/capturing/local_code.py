"""Modules of the user's own that lie outside the model, to be copied into its code folder.

Copied are the modules in the trace, the packages around them, and the data files that were read
from those packages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from envkit.capturing.module_to_distribution import UnownedFile
from envkit.models.directory import ModelDirectory

FOLDER = "code"
MODULE_SUFFIXES = frozenset({".py", ".pyc", ".so"})
"""Nothing else is a module, whatever a model says of the file of one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalCode:
    """What to copy.

    Attributes:
        files: By target in the model directory, the source.
        left: Files that cannot be copied.
    """

    files: Mapping[str, Path] = field(default_factory=dict)
    left: tuple[UnownedFile, ...] = ()


def gather(
    outside: Iterable[UnownedFile],
    modules: Mapping[str, str | None],
    model: ModelDirectory,
    is_visible: Callable[[Path], bool] = Path.exists,
) -> LocalCode:
    """Find what to copy into the model's code folder. No other file of the model is replaced.

    modules: the file of every module that was seen, for the packages around those that are copied.
    is_visible: whether the model's process could read a file. A sandboxed model may name files that
    were hidden from it, to find them in its folder afterwards.
    """
    folder = PurePosixPath(model.python_function.code or FOLDER)
    files: dict[str, Path] = {}
    packages: dict[Path, PurePosixPath] = {}
    left = list(outside)
    for unowned in tuple(left):
        if unowned.module is None:
            continue
        copies = dict(_with_packages(unowned.module, modules, folder))
        if not _is_complete(unowned, copies) or not all(map(is_visible, copies.values())):
            continue
        if _are_free(copies, model):
            files.update(copies)
            packages.update(_packages(copies))
            left.remove(unowned)
    for unowned in tuple(left):
        if unowned.module is not None:
            continue
        copies = dict(_in_package(Path(unowned.file), packages))
        if copies and all(map(is_visible, copies.values())) and _are_free(copies, model):
            files.update(copies)
            left.remove(unowned)
    in_order = dict(sorted(files.items()))
    return LocalCode(files=in_order, left=tuple(left))


def _with_packages(
    module: str,
    modules: Mapping[str, str | None],
    folder: PurePosixPath,
) -> Iterator[tuple[str, Path]]:
    """Yield target and source of a module and of the packages around it that have a file."""
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        file = modules.get(".".join(parts[:count]))
        if file is None:  # a namespace package
            continue
        source = Path(file)
        if source.suffix not in MODULE_SUFFIXES:
            continue
        stem = source.name.partition(".")[0]
        if stem == "__init__":
            package = folder.joinpath(*parts[:count])
        elif stem == parts[count - 1]:
            package = folder.joinpath(*parts[: count - 1])
        else:
            continue
        yield str(package / source.name), source


def _is_complete(unowned: UnownedFile, copies: Mapping[str, Path]) -> bool:
    """Whether the module lies where its name says, and everything to copy is a file."""
    sources = list(copies.values())
    if Path(unowned.file) not in sources:
        return False
    return all(map(Path.is_file, sources))


def _packages(copies: Mapping[str, Path]) -> Iterator[tuple[Path, PurePosixPath]]:
    """Yield source and target of the folders that are packages."""
    for target, source in copies.items():
        if source.name.startswith("__init__."):
            yield source.parent, PurePosixPath(target).parent


def _in_package(file: Path, packages: Mapping[Path, PurePosixPath]) -> Iterator[tuple[str, Path]]:
    """Yield target and source of a data file that lies in a package that is copied."""
    for package, target in packages.items():
        if file.is_relative_to(package):
            inner = file.relative_to(package).as_posix()
            yield str(target / inner), file
            return


def _are_free(copies: Mapping[str, Path], model: ModelDirectory) -> bool:
    return all(_is_free(model.path / target, source) for target, source in copies.items())


def _is_free(target: Path, source: Path) -> bool:
    """Whether nothing is there, or the same file already."""
    if not target.exists():
        return True
    return target.is_file() and target.read_bytes() == source.read_bytes()
