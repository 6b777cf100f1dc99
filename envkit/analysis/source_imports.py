"""The modules that a source file imports: by statement, by name, in Python programs it starts."""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

from envkit.analysis.import_statements import Scope
from envkit.analysis.mentions import Mention
from envkit.analysis.source_file import SourceFile, expressions
from envkit.analysis.syntax_nodes import called_name, text_of

IMPORT_BY_NAME = frozenset({"import_module", "__import__"})
DATA_BY_NAME = frozenset({"files", "get_data"})
"""Functions of `importlib.resources` and `pkgutil`, whose names other functions may have too."""

STARTERS = frozenset(
    {"system", "popen", "run", "call", "check_call", "check_output", "Popen", "getoutput"}
)
IS_PYTHON = re.compile(r"\bsys\.executable\b|python[0-9.]*$", re.IGNORECASE)
OPTIONS_WITH_VALUE = ("-W", "-X")


def mentions_in(
    source: SourceFile,
    file: str,
    package: str = "",
) -> list[Mention]:
    """Return the imports of a file, in the order of their lines.

    file: its name in the model. package: the one that it is in, for relative imports. Left out is
    what only type checkers see, and what runs only when the file is started as a program.
    """
    mentions: list[Mention] = []
    for statement in source.imports:
        if not statement.scope.never_runs:
            mentions += [
                _mention(targets, statement.line, statement.scope)
                for targets in statement.targets(package)
            ]
    for node, scope in source.statements:
        if not scope.never_runs:
            for expression in expressions(node):
                mentions += _of_expression(expression, scope)
    mentions.sort(key=lambda mention: (mention.line, mention.alternatives))
    return [replace(mention, file=file) for mention in mentions]


def imported_by_program(words: Sequence[str]) -> Iterator[Mention]:
    """Yield what a program imports if it is Python, by `-m module` or `-c "code"`; in no file."""
    if not words or not IS_PYTHON.search(words[0]):
        return
    before = ""
    for flag, word in pairwise(words[1:]):
        if before in OPTIONS_WITH_VALUE:
            before = flag
            continue
        if flag == "-m":
            yield Mention(alternatives=(word,), file="")
        if flag == "-c":
            code = textwrap.dedent(word).encode()
            yield from mentions_in(SourceFile("-c", code), "")
        if flag in ("-m", "-c") or not flag.startswith("-"):
            return
        before = flag


def _mention(
    alternatives: tuple[str, ...],
    line: int,
    scope: Scope,
) -> Mention:
    return Mention(
        alternatives=alternatives,
        file="",
        line=line,
        guarded=scope.guarded,
        instead_of=scope.instead_of,
    )


def _of_expression(node: ast.AST, scope: Scope) -> Iterator[Mention]:
    line = getattr(node, "lineno", 0)
    if isinstance(node, ast.Call):
        yield from _imported_by_name(node, scope)
    for mention in imported_by_program(_command(node)):
        guarded = scope.guarded or mention.guarded
        yield replace(mention, line=line, guarded=guarded)


def _imported_by_name(node: ast.Call, scope: Scope) -> Iterator[Mention]:
    """`import_module("a")`, and `files("a")` for the data in a package."""
    name = called_name(node)
    module = text_of(node.args[0]) if node.args else None
    if module is None or module.startswith("."):
        return
    if name in IMPORT_BY_NAME:
        yield _mention((module,), node.lineno, scope)
    elif name in DATA_BY_NAME:
        yield _mention((module,), node.lineno, replace(scope, guarded=True))


def _command(node: ast.AST) -> list[str]:
    """The words of a command: a list or tuple of words, or a line of shell that a call runs."""
    if isinstance(node, ast.List | ast.Tuple):
        # most lists are not commands, and writing out all their elements takes long
        if not node.elts or not IS_PYTHON.search(_word(node.elts[0])):
            return []
        return [_word(element) for element in node.elts]
    if isinstance(node, ast.Call) and node.args and called_name(node) in STARTERS:
        line = text_of(node.args[0]) or ""
        with suppress(ValueError):  # quotes that do not close: not a line of shell
            return shlex.split(line)
    return []


def _word(node: ast.expr) -> str:
    """A word of a command: the value of a literal, the source of any other expression."""
    text = text_of(node)
    if text is not None:
        return text
    try:
        return ast.unparse(node)
    except RecursionError:  # nested too deeply to be a word
        return ""
