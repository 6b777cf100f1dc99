"""Modules that code loads through entry points, by the name of their group."""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path

from envkit.analysis.entry_point_groups import EntryPointGroup
from envkit.analysis.mentions import Mention, Survey
from envkit.analysis.source_file import SourceFiles
from envkit.installed.distributions import InstalledDistributions
from envkit.installed.entry_points import EntryPoint, of_group

MAX_BYTES = 500_000
"""Of a library's module. A larger one does not load plugins often enough to be worth the time."""


def of_model(survey: Survey, installed: InstalledDistributions) -> Iterator[Mention]:
    """Yield the modules of the entry points that the model's own code loads."""
    for group in survey.groups:
        entry_points = list(of_group(installed, group.name))
        for entry_point in _wanted(group, entry_points, survey.texts):
            yield _mention(entry_point, group.file, group.line)


def of_library(
    module: str,
    importer: Mention,
    texts: Set[str],
    installed: InstalledDistributions,
    sources: SourceFiles,
) -> Iterator[Mention]:
    """Yield the modules of the entry points that a library loads by a name in the model's code.

    module: the file of the library's module, which `importer` imports. texts: the string literals
    in the model's code.
    """
    if not _may_load_plugins(Path(module)):
        return
    for group in sources.file(module).entry_point_groups:
        for entry_point in of_group(installed, group.name):
            if entry_point.name in texts:
                yield _mention(entry_point, importer.file, importer.line)


def _wanted(
    group: EntryPointGroup,
    entry_points: list[EntryPoint],
    texts: Set[str],
) -> list[EntryPoint]:
    """The entry point that the code names; else those whose names are among its texts; else all."""
    if group.entry_point is not None:
        return [point for point in entry_points if point.name == group.entry_point]
    return [point for point in entry_points if point.name in texts] or entry_points


def _may_load_plugins(module: Path) -> bool:
    try:
        if module.suffix != ".py" or module.stat().st_size > MAX_BYTES:
            return False
        return b"entry_points" in module.read_bytes()
    except OSError:
        return False


def _mention(
    point: EntryPoint,
    file: str,
    line: int,
) -> Mention:
    return Mention(
        alternatives=(point.module,),
        file=file,
        line=line,
        guarded=True,
    )
