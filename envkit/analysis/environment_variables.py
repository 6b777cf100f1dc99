"""Environment variables in source code: where their absence is caught, and which the system brings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

OF_THE_SYSTEM = re.compile(
    r"_?PYTHON\w*|LANG|LANGUAGE|LC_\w+|HOME|PATH|PWD|USER|LOGNAME|SHELL|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|COLUMNS|LINES"
    r"|TMPDIR|TEMP|TMP|TZ|DISPLAY|XDG_\w+|VIRTUAL_ENV|CONDA_\w+|LD_\w+|DYLD_\w+"
    r"|OMP_\w+|MKL_\w+|OPENBLAS_\w+|NUMEXPR_\w+|BLIS_\w+|VECLIB_\w+|GOTO_\w+|KMP_\w+"
)
"""Names that belong to the machine and to numeric libraries, whoever reads them."""

ABSENCE = frozenset({"KeyError", "LookupError", "Exception", "BaseException"})


@cache
def guarded_lines(file: str, name: str) -> tuple[tuple[int, int], ...]:
    """Line ranges in which the absence of the variable is caught, or was asked for before."""
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (
        OSError,
        SyntaxError,
        ValueError,
    ):  # no source, or of another Python: nothing is known to be guarded
        return ()
    return tuple(
        (first.lineno, last.end_lineno or last.lineno) for first, last in _guarded(tree, name)
    )


def _guarded(tree: ast.AST, name: str) -> Iterator[tuple[ast.stmt | ast.expr, ast.stmt | ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(_catches(handler.type) for handler in node.handlers):
            yield node.body[0], node.body[-1]
        elif isinstance(node, ast.With) and any(
            _suppresses(item.context_expr) for item in node.items
        ):
            yield node, node
        elif isinstance(node, ast.If) and _asks_for(node.test, name):
            yield node.body[0], node.body[-1]
            if node.orelse:
                yield node.orelse[0], node.orelse[-1]
        elif (isinstance(node, ast.IfExp) and _asks_for(node.test, name)) or (
            isinstance(node, ast.BoolOp) and any(_asks_for(value, name) for value in node.values)
        ):
            yield node, node


def _catches(caught: ast.expr | None) -> bool:
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        each is None or (isinstance(each, ast.Name) and each.id in ABSENCE) for each in names
    )


def _suppresses(expression: ast.expr) -> bool:
    return (
        isinstance(expression, ast.Call)
        and ast.unparse(expression.func).endswith("suppress")
        and any(_catches(argument) for argument in expression.args)
    )


def _asks_for(test: ast.expr, name: str) -> bool:
    """Whether a condition is about the variable being there: `name in …`, `….get(name)`, `getenv(name)`."""
    return any(_is_question(node, name) for node in ast.walk(test))


def _is_question(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        return _is_name(node.left, name)
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("get", "getenv")):
        return bool(node.args) and _is_name(node.args[0], name)
    return False


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == name
