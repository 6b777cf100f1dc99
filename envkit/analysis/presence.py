"""Names that say whether a module is installed, such as `HAS_X` and `is_x_available`.

Such a name alone says little: `has_data` may be anything. What it is bound to decides.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from envkit.analysis.syntax_nodes import catches, last_name

ABSENCE = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
"""Exceptions that code catches in order to do without a module."""

FINDERS = frozenset({"find_spec", "find_loader"})
NAME = re.compile(r"\w*_(available|installed|present)|_?(has|have)_\w+", re.IGNORECASE)
IMPORTED = re.compile(r"\w*_(available|installed|AVAILABLE|INSTALLED)|_?(HAS|HAVE)_[A-Z0-9_]+")
"""Names that are believed without their definition, which is in another module."""


class PresenceTests:
    """Tells which conditions of one module hold only where another module is installed."""

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        """`nodes`: the statements of the module, also those in blocks."""
        self._nodes = tuple(nodes)
        self._names: frozenset[str] | None = None
        self._imported: frozenset[str] | None = None

    def holds_only_if_present(self, test: ast.expr) -> bool:
        """Whether a condition holds only where a module is installed."""
        match test:
            case ast.BoolOp(op=ast.And(), values=parts):
                return any(map(self.holds_only_if_present, parts))
            case ast.Compare(left=left, ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
                return self.holds_only_if_present(left)
            case ast.Call(func=called):
                return last_name(called) in FINDERS or self._says_presence(called)
            case ast.Name() | ast.Attribute():
                return self._says_presence(test)
        return False

    def _says_presence(self, node: ast.expr) -> bool:
        if not NAME.fullmatch(last_name(node)):
            return False
        if self._names is None:
            self._names = _names_of_presence(self._nodes)
        if isinstance(node, ast.Name):
            return node.id in self._names
        # `compat.HAS_X`; not `self.has_x`, which is about an object
        if self._imported is None:
            self._imported = frozenset(_imported(self._nodes))
        return _dotted_root(node) in self._imported and _is_believed(last_name(node))


def _names_of_presence(nodes: Sequence[ast.AST]) -> frozenset[str]:
    """The names of a module that are bound to whether another one is installed."""
    known = {name for name in _imported(nodes) if _is_believed(name)}
    bound_to: dict[str, list[str]] = {}
    for node in nodes:
        if _tries_import(node):
            known.update(_assigned_below(node))
        for name, value in _bindings(node):
            if _looks_for_a_module(value):
                known.add(name)
            for other in _names_in(value):
                bound_to.setdefault(other, []).append(name)
    # One name may be bound to another one, in any order. Each is followed once, so that the time
    # is linear in the length of the file.
    waiting = list(known)
    while waiting:
        for name in bound_to.pop(waiting.pop(), ()):
            known.add(name)
            waiting.append(name)
    return frozenset(known)


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that import statements bind."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0]


def _is_believed(name: str) -> bool:
    return IMPORTED.fullmatch(name) is not None


def _tries_import(node: ast.AST) -> bool:
    """Whether a statement imports something and goes on without it."""
    if not isinstance(node, ast.Try | ast.With) or not catches(node, ABSENCE):
        return False
    return any(isinstance(each, ast.Import | ast.ImportFrom) for each in node.body)


def _assigned_below(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        for name, _ in _bindings(inner):
            yield name


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield names that a statement binds and that may say presence, with what they are bound to."""
    if isinstance(node, ast.FunctionDef):
        targets: list[tuple[str, ast.AST]] = [(node.name, node)]
    elif isinstance(node, ast.Assign):
        targets = [(last_name(target), node.value) for target in node.targets]
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        targets = [(last_name(node.target), node.value)]
    else:
        return
    for name, value in targets:
        if NAME.fullmatch(name):
            yield name, value


def _looks_for_a_module(value: ast.AST) -> bool:
    """Whether a value comes from a search for a module, or from an import that may fail."""
    for node in ast.walk(value):
        if isinstance(node, ast.Name | ast.Attribute) and last_name(node) in FINDERS:
            return True
        if _tries_import(node):
            return True
    return False


def _names_in(value: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(value) if isinstance(node, ast.Name))


def _dotted_root(node: ast.AST) -> str:
    """Return `a` for the expression `a.b.c`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return last_name(node)
