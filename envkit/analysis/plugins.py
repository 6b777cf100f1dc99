"""Entry points that code asks for by the name of their group (entry points specification of the packaging guide)."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set
from pathlib import Path

from envkit.analysis.mentions import Group, Mention, Survey
from envkit.analysis.source_imports import called
from envkit.installed.distributions import InstalledDistributions
from envkit.installed.entry_points import EntryPoint, of_group

GROUP_READERS = frozenset({"entry_points", "iter_entry_points", "select", "get_group_all"})
# of a library's module; one that is larger is no host of plugins worth the time
MAX_BYTES = 500_000


def groups(source: bytes, file: str) -> Iterator[Group]:
    """Yield the groups that code names. Raises `SyntaxError`, `ValueError` or `RecursionError`, as `ast.parse`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and called(node) in GROUP_READERS:
            given = {each.arg: _text(each.value) for each in node.keywords}
            if node.args and called(node) != "select":
                first = _text(node.args[0])
            else:
                first = None
            second = _text(node.args[1]) if len(node.args) > 1 else None
            name = given.get("group") or first
            if name:
                yield Group(
                    name=name, file=file, line=node.lineno, named=given.get("name") or second
                )
        elif isinstance(node, ast.Subscript | ast.Call):
            name = _of_all(node)
            if name:
                yield Group(name=name, file=file, line=node.lineno)


def texts(source: bytes) -> frozenset[str]:
    """Give the string literals of code, each of which may name an entry point."""
    return frozenset(
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def of_model(survey: Survey, installed: InstalledDistributions) -> Iterator[Mention]:
    """Yield the modules of the entry points that the model's own code means: those that it names, else all."""
    said = survey.texts
    for group in survey.groups:
        there = list(of_group(installed, group.name))
        if group.named:
            meant = [each for each in there if each.name == group.named]
        else:
            meant = []
        meant = meant or [each for each in there if each.name in said and not group.named]
        for each in meant or (there if not group.named else []):
            yield _mention(each, group.file, group.line)


def of_library(
    module: str, by: Mention, said: Set[str], installed: InstalledDistributions
) -> Iterator[Mention]:
    """Yield those that a library which the model imports would load when it is asked by a name that the model says."""
    path = Path(module)
    try:
        if path.suffix != ".py" or path.stat().st_size > MAX_BYTES:
            return
        source = path.read_bytes()
        if b"entry_points" in source:
            found = list(groups(source, module))
        else:
            found = []
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    for group in found:
        for each in of_group(installed, group.name):
            if each.name in said:
                yield _mention(each, by.file, by.line)


def _mention(point: EntryPoint, file: str, line: int) -> Mention:
    return Mention(alternatives=(point.module,), file=file, line=line, guarded=True)


def _of_all(node: ast.Subscript | ast.Call) -> str | None:
    """The group in `entry_points()["group"]` and `entry_points().get("group")`, as before Python 3.10."""
    if isinstance(node, ast.Subscript):
        if called(node.value) == "entry_points":
            return _text(node.slice)
        return None
    function = node.func
    if (
        isinstance(function, ast.Attribute)
        and function.attr == "get"
        and called(function.value) == "entry_points"
    ):
        if node.args:
            return _text(node.args[0])
        return None
    return None


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None
