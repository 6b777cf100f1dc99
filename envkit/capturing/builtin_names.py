"""Names that `.pth` files, or what they import, put into `builtins`: whoever uses one needs what put it there."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from envkit.capturing.places import Places
from envkit.capturing.trace import Import, Trace


def with_uses(trace: Trace, places: Places) -> Trace:
    """The trace, in which the model's own code used the files that put there what it names."""
    added = {name: file for name, file in trace.builtins.items() if file is not None}
    if added:
        return replace(trace, reads=(*trace.reads, *_uses(trace, places, added)))
    return trace


def _uses(trace: Trace, places: Places, added: Mapping[str, str]) -> Iterator[Import]:
    for module, file in sorted(trace.files.items()):
        if file is None or not file.endswith(".py") or not places.is_local(file):
            continue
        for name, line in _named(file, added):
            yield Import(
                module=added[name],
                importer=module,
                importer_file=file,
                line=line,
                phase="load",
                data=True,
                kind="builtin",
            )


def _named(file: str, added: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Yield each of the names that the code in the file means, with its line."""
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (
        OSError,
        SyntaxError,
        ValueError,
    ):  # no source, or of another Python: nothing is known of it
        return
    own = set(_bound(tree))
    asks = any(
        alias.name == "builtins"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in added and node.id not in own:
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and node.attr in added and asks:
            yield node.attr, node.lineno
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value in added
            and asks
        ):
            yield node.value, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "builtins":
            yield from ((alias.name, node.lineno) for alias in node.names if alias.name in added)


def _bound(tree: ast.AST) -> Iterator[str]:
    """Yield the names that the code gives a meaning of its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
