"""Import statements, each with the condition under which it runs.

Only statements are walked. Expressions hold no import statements, and they are the larger part of
long files.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from envkit.analysis.presence import ABSENCE, PresenceTests
from envkit.analysis.syntax_nodes import catches

BLOCKS: Mapping[type[ast.AST], tuple[str, ...]] = {
    ast.FunctionDef: ("body",),
    ast.AsyncFunctionDef: ("body",),
    ast.ClassDef: ("body",),
    ast.If: ("body", "orelse"),
    ast.For: ("body", "orelse"),
    ast.AsyncFor: ("body", "orelse"),
    ast.While: ("body", "orelse"),
    ast.With: ("body",),
    ast.AsyncWith: ("body",),
    ast.Try: ("body", "handlers", "orelse", "finalbody"),
    ast.TryStar: ("body", "handlers", "orelse", "finalbody"),
    ast.ExceptHandler: ("body",),
    ast.Match: ("cases",),
    ast.match_case: ("body",),
}
"""The statements that have blocks, and what their blocks are called."""


@dataclass(frozen=True, slots=True)
class Scope:
    """When a statement runs.

    Attributes:
        guarded: Whether a failed import is caught around it.
        instead_of: Modules whose absence it makes up for.
        never_runs: Whether only type checkers read it, or only `python file.py` runs it.
    """

    guarded: bool = False
    instead_of: tuple[str, ...] = ()
    never_runs: bool = False


ALWAYS = Scope()


class Statement(NamedTuple):
    """A statement, an `except` clause or a `case`."""

    node: ast.AST
    scope: Scope


class Lines(NamedTuple):
    """A range of lines, both ends included."""

    first: int
    last: int

    def __contains__(self, line: object) -> bool:
        return isinstance(line, int) and self.first <= line <= self.last


@dataclass(frozen=True, slots=True)
class ImportStatement:
    """`import module`, or `from module import names` with `level` leading dots."""

    line: int
    module: str
    names: tuple[str, ...] = ()
    level: int = 0
    scope: Scope = ALWAYS

    @property
    def top_level(self) -> str:
        """The top-level module, empty for a relative import."""
        if self.level:
            return ""
        return self.module.partition(".")[0]

    def targets(self, package: str) -> Iterator[tuple[str, ...]]:
        """Yield for each name the modules that it may mean, absolute; `package` is the importer's.

        `from a import b` means `a.b` or, when `b` is not a module, `a`.
        """
        base = self._base(package)
        if not base:
            return
        if not self.names:
            yield (base,)
        for name in self.names:
            if name == "*":
                yield (base,)
            else:
                yield (f"{base}.{name}", base)

    def _base(self, package: str) -> str:
        """The absolute name of `module`; empty when the dots lead out of every package."""
        if not self.level:
            return self.module
        # `.` is the package itself, each further dot the package around it
        for _ in range(self.level - 1):
            package = package.rpartition(".")[0]
        if not package:
            return ""
        if not self.module:
            return package
        return f"{package}.{self.module}"


def statements(body: Iterable[ast.AST], scope: Scope = ALWAYS) -> Iterator[Statement]:
    """Yield the statements of a block and of the blocks in it, each with its scope."""
    # a stack of our own, because code may nest deeper than Python's stack
    waiting = [Statement(node, scope) for node in body]
    while waiting:
        statement = waiting.pop()
        yield statement
        if type(statement.node) in BLOCKS:
            waiting.extend(_inner(*statement))


def import_statements(statement: Statement) -> Iterator[ImportStatement]:
    """Yield what an `import` or `from … import` statement imports; nothing for other statements."""
    node, scope = statement
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield ImportStatement(node.lineno, alias.name, scope=scope)
    elif isinstance(node, ast.ImportFrom):
        yield ImportStatement(
            line=node.lineno,
            module=node.module or "",
            names=tuple(alias.name for alias in node.names),
            level=node.level,
            scope=scope,
        )


def guarded_lines(candidates: Iterable[Statement]) -> Iterator[Lines]:
    """Yield where an import may fail, or runs only if the module is there.

    These are bodies of `try`, of `with suppress(…)`, and of `if is_x_available()`.
    """
    nodes = [node for node, _ in candidates]
    presence = PresenceTests(nodes)
    for node in nodes:
        if isinstance(node, ast.If) and presence.holds_only_if_present(node.test):
            last = node.body[-1]
            yield Lines(node.body[0].lineno, last.end_lineno or last.lineno)
            continue
        if not catches(node, ABSENCE):
            continue
        if isinstance(node, ast.Try):
            last = node.body[-1]
            yield Lines(node.lineno, last.end_lineno or last.lineno)
        elif isinstance(node, ast.With):
            yield Lines(node.lineno, node.end_lineno or node.lineno)


def _inner(node: ast.AST, scope: Scope) -> Iterator[Statement]:
    """Yield the statements directly in a statement."""
    if isinstance(node, ast.If) and _never_runs(node.test):
        yield from _block(node.body, replace(scope, never_runs=True))
        yield from _block(node.orelse, scope)
    elif isinstance(node, ast.Try) and catches(node, ABSENCE):
        yield from _block(node.body, replace(scope, guarded=True))
        tried = (*scope.instead_of, *_modules_in(node.body))
        yield from _block(node.handlers, replace(scope, instead_of=tried))
        yield from _block(node.orelse, scope)
        yield from _block(node.finalbody, scope)
    elif isinstance(node, ast.With) and catches(node, ABSENCE):
        yield from _block(node.body, replace(scope, guarded=True))
    else:
        for name in BLOCKS[type(node)]:
            yield from _block(getattr(node, name), scope)


def _block(body: Iterable[ast.AST], scope: Scope) -> Iterator[Statement]:
    return (Statement(node, scope) for node in body)


def _modules_in(body: Iterable[ast.AST]) -> Iterator[str]:
    for statement in statements(body):
        for imported in import_statements(statement):
            if not imported.level:
                yield imported.module


def _never_runs(test: ast.expr) -> bool:
    """Whether a condition is `TYPE_CHECKING` or `__name__ == "__main__"`."""
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
        case ast.Compare(
            left=ast.Name(id="__name__"),
            ops=[ast.Eq()],
            comparators=[ast.Constant(value="__main__")],
        ):
            return True
    return False
