"""Which names the modules of a model's own code define, read from their source."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from envkit.errors import InvalidFile
from envkit.formats.text import read_text


def file_of(module: str, code: Path) -> Path | None:
    """The source file of a module in a folder of code; None when there is none."""
    place = code.joinpath(*module.split("."))
    for path in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
        if path.is_file() and path.resolve().is_relative_to(code.resolve()):
            return path
    return None


def defined(path: Path) -> frozenset[str] | None:
    """The names that a module defines; None when its source does not tell.

    A module may define anything that imports with `*`, has a `__getattr__`, or runs text.
    """
    try:
        tree = ast.parse(read_text(path))
    # reported by the rule on files that cannot be read
    except (InvalidFile, SyntaxError, ValueError, RecursionError):
        return None
    names = set(_bound(tree.body))
    is_open = {"*", "__getattr__"} & names or any(
        isinstance(node, ast.Name) and node.id in ("exec", "globals", "setattr", "vars")
        for node in ast.walk(tree)
    )
    return None if is_open else frozenset(names)


def mentions(path: Path, name: str) -> bool:
    """Whether a source file names something; True when it cannot be read."""
    try:
        tree = ast.parse(read_text(path))
    except (InvalidFile, SyntaxError, ValueError, RecursionError):
        return True
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=found) | ast.Attribute(attr=found) | ast.alias(name=found):
                if found in (name, "*", "exec"):
                    return True
    return False


def _bound(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """Yield the names that statements bind, also those in blocks below them."""
    for statement in statements:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for alias in names:
                    yield alias.asname or alias.name.partition(".")[0]
            case _:
                for node in ast.walk(statement):
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                        yield node.id
                for field in ("body", "orelse", "finalbody"):
                    yield from _bound(getattr(statement, field, ()))
                for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
                    yield from _bound(part.body)
