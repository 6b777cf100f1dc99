"""Python source files, each read and parsed once, when something first asks about it.

What a question costs differs much: the import statements of a long file take a fraction of the time
that all its expressions take. So each answer is computed when it is first needed, and kept.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from envkit.analysis import entry_point_groups, environment_variables, import_statements
from envkit.analysis.entry_point_groups import EntryPointGroup
from envkit.analysis.environment_variables import AbsenceGuard, VariableMention
from envkit.analysis.import_statements import ImportStatement, Lines, Statement
from envkit.analysis.syntax_nodes import called_name, text_of

IMPORTING_CALLS = frozenset(
    {"import_module", "__import__", "load", "load_module", "exec_module", "resolve", "exec"}
)
"""Functions that may import a module whose name they are called with."""

STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)
LONG = 50_000  # bytes; to parse such a file whole takes tens of milliseconds
BLOCK_START = re.compile(rb"(?!(except|else|elif|finally|case)\b)[A-Za-z_]")


class SourceFile:
    """One source file. A file that cannot be parsed has no content; `problem` says why."""

    def __init__(self, path: str | Path, content: bytes | None = None) -> None:
        """`content`: the source, if it is not to be read from `path`."""
        self.path = str(path)
        self._given = content

    @cached_property
    def problem(self) -> str | None:
        """Why the file could not be parsed, None if it was."""
        _, problem = self._parsed
        return problem

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """All statements, without those in expressions, which there are none of."""
        return tuple(import_statements.statements(self._tree.body))

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the syntax tree."""
        return tuple(ast.walk(self._tree))

    @cached_property
    def imports(self) -> tuple[ImportStatement, ...]:
        """All import statements."""
        return tuple(
            imported
            for statement in self.statements
            for imported in import_statements.import_statements(statement)
        )

    @cached_property
    def imported_at(self) -> Mapping[int, frozenset[str]]:
        """The top-level modules that import statements name, by line; "" for a relative import."""
        modules: dict[int, set[str]] = defaultdict(set)
        for imported in self.imports:
            modules[imported.line].add(imported.top_level)
        return {line: frozenset(names) for line, names in modules.items()}

    @cached_property
    def unconditional_imports(self) -> Mapping[str, int]:
        """The modules imported by statements that stand in no other statement, with their lines.

        For `from a import b` these are `a` and `a.b`, whether or not the latter is a module.
        """
        lines: dict[str, int] = {}
        for node in self._tree.body:
            statement = Statement(node, import_statements.ALWAYS)
            for imported in import_statements.import_statements(statement):
                if imported.level:
                    continue
                names = [f"{imported.module}.{name}" for name in imported.names]
                lines |= dict.fromkeys((imported.module, *names), imported.line)
        return lines

    def is_import_guarded(self, line: int) -> bool:
        """Whether a failure of the import at that line is caught."""
        if self._is_guarded_in_block(line):
            return True
        return any(line in guard for guard in self._import_guards)

    @cached_property
    def _import_guards(self) -> tuple[Lines, ...]:
        return tuple(import_statements.guarded_lines(self.statements))

    def _is_guarded_in_block(self, line: int) -> bool:
        """Whether the block of a long file that a line is in shows that its import is guarded.

        If it does not, the whole file is parsed, because where a block begins is only guessed.
        """
        content, _ = self._content
        if len(content) < LONG or "_parsed" in self.__dict__:
            return False
        lines = content.splitlines(keepends=True)
        first = min(line, len(lines)) - 1
        while first > 0 and not BLOCK_START.match(lines[first]):
            first -= 1
        end = line
        while end < len(lines) and not BLOCK_START.match(lines[end]):
            end += 1
        # with empty lines before it, so that its lines keep their numbers
        block = SourceFile(self.path, b"\n" * first + b"".join(lines[first:end]))
        if line not in block.imported_at:
            return False
        return any(line in guard for guard in block._import_guards)

    @cached_property
    def importing_calls(self) -> frozenset[int]:
        """The lines of calls that may import a module by its name."""
        lines: set[int] = set()
        # not `nodes`: a library is large, and this is all that is needed of it
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and called_name(node) in IMPORTING_CALLS:
                last = node.end_lineno or node.lineno
                lines.update(range(node.lineno, last + 1))
        return frozenset(lines)

    @cached_property
    def texts(self) -> frozenset[str]:
        """The values of string literals."""
        texts = map(text_of, self.nodes)
        return frozenset(text for text in texts if text is not None)

    @cached_property
    def variables(self) -> tuple[VariableMention, ...]:
        """The environment variables that are read by a literal name."""
        variables = []
        for variable in environment_variables.mentioned(self.nodes):
            needed = variable.needed and not self.handles_absence(variable.name, variable.line)
            variables.append(replace(variable, needed=needed))
        return tuple(variables)

    @cached_property
    def _variable_guards(self) -> tuple[AbsenceGuard, ...]:
        """Where the absence of an environment variable is caught or tested."""
        return tuple(environment_variables.absence_guards(ast.walk(self._tree)))

    @cached_property
    def entry_point_groups(self) -> tuple[EntryPointGroup, ...]:
        """The groups of entry points that are looked up by a literal name."""
        return tuple(entry_point_groups.looked_up(self.nodes))

    def handles_absence(self, variable: str, line: int) -> bool:
        """Whether code around that line catches or tests the absence of an environment variable."""
        return any(guard.covers(variable, line) for guard in self._variable_guards)

    @cached_property
    def _tree(self) -> ast.Module:
        tree, _ = self._parsed
        return tree

    @cached_property
    def _parsed(self) -> tuple[ast.Module, str | None]:
        return self._parse()

    def _parse(self) -> tuple[ast.Module, str | None]:
        content, problem = self._content
        nothing = ast.Module(body=[], type_ignores=[])
        if problem is not None:
            return nothing, problem
        try:
            # Python 3.12 and newer warn of escapes such as `\d`, which is for their authors
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(content), None
        # code for another Python, a binary file, or nesting that exceeds the parser's stack
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return nothing, f"it cannot be parsed as Python ({error})"

    @cached_property
    def _content(self) -> tuple[bytes, str | None]:
        if self._given is not None:
            return self._given, None
        try:
            return Path(self.path).read_bytes(), None
        except OSError as error:
            return b"", f"it cannot be read ({error.strerror or error})"


class SourceFiles:
    """The source files that one capture or validation looks at."""

    def __init__(self) -> None:
        self._files: dict[str, SourceFile] = {}

    def file(self, path: str | Path) -> SourceFile:
        """Return the file at `path`, the same object each time."""
        key = str(path)
        if key not in self._files:
            self._files[key] = SourceFile(key)
        return self._files[key]


def expressions(statement: ast.AST) -> Iterator[ast.AST]:
    """Yield a statement and its expressions, without the statements in it."""
    waiting = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(
            child for child in ast.iter_child_nodes(node) if not isinstance(child, STATEMENTS)
        )
