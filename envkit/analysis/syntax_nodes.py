"""Questions about one node of a syntax tree: what it names, what it calls, what it catches."""

from __future__ import annotations

import ast
from collections.abc import Set


def text_of(node: ast.AST | None) -> str | None:
    """Return the value of a string literal, None for any other expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def last_name(node: ast.AST | None) -> str:
    """Return `c` for the expressions `a.b.c` and `c`, an empty string for others."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    return ""


def called_name(node: ast.AST) -> str:
    """Return the last part of the name of what is called, an empty string when nothing is."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    return ""


def catches(node: ast.AST, exceptions: Set[str]) -> bool:
    """Whether a `try` or `with suppress(…)` statement catches one of the exceptions.

    A bare `except:` catches all of them.
    """
    if isinstance(node, ast.Try):
        return any(_names_one_of(handler.type, exceptions) for handler in node.handlers)
    if isinstance(node, ast.With):
        return any(_suppresses(item.context_expr, exceptions) for item in node.items)
    return False


def _suppresses(expression: ast.expr, exceptions: Set[str]) -> bool:
    if not isinstance(expression, ast.Call) or called_name(expression) != "suppress":
        return False
    return any(_names_one_of(argument, exceptions) for argument in expression.args)


def _names_one_of(caught: ast.expr | None, exceptions: Set[str]) -> bool:
    if caught is None:
        return True
    if isinstance(caught, ast.Tuple):
        return any(_names_one_of(name, exceptions) for name in caught.elts)
    return isinstance(caught, ast.Name) and caught.id in exceptions
