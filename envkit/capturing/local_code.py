"""Modules of the user's own that lie outside the model: copied into its `code/`, as their packages have them.

Taken along are the modules that the trace saw, the packages around them, and the data files read
from those packages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from envkit.capturing.requirements import Outside
from envkit.models.directory import ModelDirectory

FOLDER = "code"


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalCode:
    """What is to be copied. files: target in the model directory → source. left: what could not be taken along."""

    files: Mapping[str, Path] = field(default_factory=dict)
    left: tuple[Outside, ...] = ()


def gather(
    outside: Iterable[Outside], modules: Mapping[str, str | None], model: ModelDirectory
) -> LocalCode:
    """Find what to copy into the model's folder of code.

    modules: the file of every module that was seen, for the packages around those that are taken. A
    file of the model is never replaced by another one.
    """
    folder = PurePosixPath(model.python_function.code or FOLDER)
    files: dict[str, Path] = {}
    packages: dict[Path, PurePosixPath] = {}
    left = list(outside)
    for each in tuple(left):
        if _is_data(each):
            found = {}
        else:
            found = dict(_with_packages(each.module, modules, folder))
        if _placed(each, found) and all(
            _is_free(model.path / target, source) for target, source in found.items()
        ):
            files.update(found)
            packages.update(_package(found))
            left.remove(each)
    for each in tuple(left):
        package = next(
            (at for at in packages if _is_data(each) and Path(each.file).is_relative_to(at)), None
        )
        if package is not None:
            target = str(packages[package] / Path(each.file).relative_to(package).as_posix())
            if _is_free(model.path / target, Path(each.file)):
                files[target] = Path(each.file)
                left.remove(each)
    return LocalCode(files=dict(sorted(files.items())), left=tuple(left))


def _is_data(outside: Outside) -> bool:
    return outside.module == outside.file


def _with_packages(
    module: str, modules: Mapping[str, str | None], folder: PurePosixPath
) -> Iterator[tuple[str, Path]]:
    """The module and the packages around it that have a file, each with its place below `folder`."""
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        file = modules.get(".".join(parts[:end]))
        if file is None:  # a namespace package
            continue
        source = Path(file)
        stem = source.name.partition(".")[0]
        if stem == "__init__":
            yield str(folder.joinpath(*parts[:end], source.name)), source
        elif stem == parts[end - 1]:
            yield str(folder.joinpath(*parts[: end - 1], source.name)), source


def _placed(each: Outside, found: Mapping[str, Path]) -> bool:
    """Whether the module itself lies where its name says, as a file that can be copied."""
    return Path(each.file) in found.values() and all(source.is_file() for source in found.values())


def _package(found: Mapping[str, Path]) -> Iterator[tuple[Path, PurePosixPath]]:
    for target, source in found.items():
        if source.name.startswith("__init__."):
            yield source.parent, PurePosixPath(target).parent


def _is_free(target: Path, source: Path) -> bool:
    return not target.exists() or (target.is_file() and target.read_bytes() == source.read_bytes())
