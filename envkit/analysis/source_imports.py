"""The imports in Python source, wherever in it they stand."""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise

from envkit.analysis.mentions import Mention, Variable

ABSENCE = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
BY_NAME = frozenset({"import_module", "__import__"})
DATA_BY_NAME = frozenset({"files", "get_data"})  # of `importlib.resources` and `pkgutil`
STARTERS = frozenset(
    {"system", "popen", "run", "call", "check_call", "check_output", "Popen", "getoutput"}
)
IS_PYTHON = re.compile(r"\bsys\.executable\b|python[0-9.]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Scope:
    guarded: bool = False
    instead_of: tuple[str, ...] = ()


def mentions(source: bytes, file: str, package: str = "") -> Iterator[Mention]:
    """Yield the imports of a file; `package` is the one that the file is in, for relative imports.

    Left out is what only type checkers see and what runs only when the file is started as a
    program. Raises `SyntaxError`, `ValueError` or `RecursionError` for what is no Python of this
    version.
    """
    waiting: list[tuple[ast.AST, _Scope]] = [(ast.parse(source), _Scope())]
    found: list[Mention] = []
    while waiting:  # not recursive: code may nest deeper than the stack
        node, scope = waiting.pop()
        found += _of(node, scope, file, package)
        waiting += _children(node, scope)
    yield from sorted(found, key=lambda each: (each.line, each.alternatives))


def variables(source: bytes, file: str) -> Iterator[Variable]:
    """Yield the environment variables that a file reads by name. Raises as `mentions` does."""
    for node in ast.walk(ast.parse(source)):
        name: ast.expr | None = None
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Load)
            and _is_environ(node.value)
        ):
            name = node.slice
        elif isinstance(node, ast.Call) and node.args:
            function = node.func
            of_environ = (
                isinstance(function, ast.Attribute)
                and function.attr == "get"
                and _is_environ(function.value)
            )
            if of_environ or called(node) == "getenv":
                name = node.args[0]
            else:
                name = None
        elif (
            isinstance(node, ast.Compare)
            and isinstance(node.ops[0], ast.In | ast.NotIn)
            and _is_environ(node.comparators[0])
        ):
            name = node.left
        if isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value:
            needed = isinstance(node, ast.Subscript)
            yield Variable(name=name.value, file=file, line=name.lineno, needed=needed)
        if isinstance(node, ast.ClassDef) and any(
            ast.unparse(each).endswith("BaseSettings") for each in node.bases
        ):
            yield from _settings(node, file)


def _settings(node: ast.ClassDef, file: str) -> Iterator[Variable]:
    """The fields of a pydantic settings class: each is a variable of that name in capitals, after the prefix."""
    prefixes = [
        each.value.value
        for each in ast.walk(node)
        if (isinstance(each, ast.keyword) and each.arg == "env_prefix")
        or (isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "env_prefix")
        if isinstance(each.value, ast.Constant) and isinstance(each.value.value, str)
    ]
    prefix = prefixes[0] if prefixes else ""
    for each in node.body:
        if (
            isinstance(each, ast.AnnAssign)
            and isinstance(each.target, ast.Name)
            and each.target.id != "model_config"
        ):
            name = f"{prefix}{each.target.id}".upper()
            yield Variable(name=name, file=file, line=each.lineno, needed=each.value is None)


def _is_environ(node: ast.expr) -> bool:
    return (node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")) == "environ"


def _of(node: ast.AST, scope: _Scope, file: str, package: str) -> Iterator[Mention]:
    for each in _started(node):
        yield replace(
            each, file=file, line=getattr(node, "lineno", 0), guarded=scope.guarded or each.guarded
        )
    for names in _named(node, package):
        yield Mention(
            alternatives=names,
            file=file,
            line=getattr(node, "lineno", 0),
            guarded=scope.guarded or called(node) in DATA_BY_NAME,  # the name may be another's too
            instead_of=scope.instead_of,
        )


def _named(node: ast.AST, package: str) -> Iterator[tuple[str, ...]]:
    if isinstance(node, ast.Import):
        yield from ((alias.name,) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _base(node, package)
        if base:
            yield from (
                (base,) if alias.name == "*" else (f"{base}.{alias.name}", base)
                for alias in node.names
            )
    elif isinstance(node, ast.Call) and node.args and called(node) in BY_NAME | DATA_BY_NAME:
        name = node.args[0]
        if (
            isinstance(name, ast.Constant)
            and isinstance(name.value, str)
            and not name.value.startswith(".")
        ):
            yield (name.value,)


def _started(node: ast.AST) -> Iterator[Mention]:
    """What the Python programs import that a list of words, or a line of shell, starts: `-m module`, `-c "code"`."""
    if isinstance(node, ast.List | ast.Tuple):
        words = [_word(each) for each in node.elts]
    elif isinstance(node, ast.Call) and called(node) in STARTERS and node.args:
        line = node.args[0]
        if isinstance(line, ast.Constant) and isinstance(line.value, str):
            text = line.value
        else:
            text = ""
        with suppress(ValueError):  # quotes that do not close: it is no line of shell
            words = shlex.split(text)
            yield from in_program(words)
        return
    else:
        return
    yield from in_program(words)


def in_program(words: Sequence[str]) -> Iterator[Mention]:
    """Yield what a program is told to import, when it is Python: by `-m module` or `-c "code"`; in no file."""
    if not words or not IS_PYTHON.search(words[0]):
        return
    before = ""
    for flag, word in pairwise(words[1:]):
        if before not in ("-W", "-X"):  # which have a value
            if flag == "-m":
                yield Mention(alternatives=(word,), file="")
            if flag == "-c":
                with suppress(SyntaxError, ValueError, RecursionError):
                    yield from mentions(textwrap.dedent(word).encode(), "")
            if not flag.startswith("-") or flag in ("-m", "-c"):
                return
        before = flag


def _word(node: ast.expr) -> str:
    """A word of a command: a text as it is, anything else as it is written."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ast.unparse(node)


def called(node: ast.AST) -> str:
    """Give the last part of the name of what is called, empty when nothing is."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute):
        return function.attr
    return getattr(function, "id", "")


def _base(node: ast.ImportFrom, package: str) -> str:
    """The module from which is imported, absolute; empty when a relative import leads out of every package."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    if node.level > len(parts):
        return ""
    return ".".join(
        [*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])]
    )


def _children(node: ast.AST, scope: _Scope) -> Iterator[tuple[ast.AST, _Scope]]:
    if isinstance(node, ast.If) and _never_runs(node.test):
        yield from ((child, scope) for child in node.orelse)
    elif isinstance(node, ast.Try) and any(_catches_absence(each.type) for each in node.handlers):
        tried = tuple(name for child in node.body for name in _modules_in(child))
        yield from (
            (child, _Scope(guarded=True, instead_of=scope.instead_of)) for child in node.body
        )
        for handler in node.handlers:
            yield handler, _Scope(guarded=scope.guarded, instead_of=(*scope.instead_of, *tried))
        yield from ((child, scope) for child in (*node.orelse, *node.finalbody))
    elif isinstance(node, ast.With) and any(_suppresses(item.context_expr) for item in node.items):
        yield from (
            (child, _Scope(guarded=True, instead_of=scope.instead_of)) for child in node.body
        )
    else:
        yield from ((child, scope) for child in ast.iter_child_nodes(node))


def _modules_in(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Import | ast.ImportFrom):
            yield from (names[-1] for names in _named(each, ""))


def _never_runs(test: ast.expr) -> bool:
    if isinstance(test, ast.Name | ast.Attribute | ast.Compare):
        text = ast.unparse(test)
    else:
        text = ""
    return text.rpartition(".")[2] == "TYPE_CHECKING" or text == "__name__ == '__main__'"


def _catches_absence(caught: ast.expr | None) -> bool:
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return caught is None or any(
        isinstance(name, ast.Name) and name.id in ABSENCE for name in names
    )


def _suppresses(expression: ast.expr) -> bool:
    return (
        isinstance(expression, ast.Call)
        and ast.unparse(expression.func).endswith("suppress")
        and any(_catches_absence(argument) for argument in expression.args)
    )
