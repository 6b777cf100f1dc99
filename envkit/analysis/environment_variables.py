"""Environment variables in source code: which are read, and where their absence is handled."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from envkit.analysis.syntax_nodes import called_name, catches, last_name, text_of

OF_THE_SYSTEM = re.compile(
    r"_?PYTHON\w*|LANG|LANGUAGE|LC_\w+|HOME|PATH|PWD|USER|LOGNAME|SHELL|TERM|COLORTERM"
    r"|NO_COLOR|FORCE_COLOR|COLUMNS|LINES"
    r"|TMPDIR|TEMP|TMP|TZ|DISPLAY|XDG_\w+|VIRTUAL_ENV|CONDA_\w+|LD_\w+|DYLD_\w+"
    r"|OMP_\w+|MKL_\w+|OPENBLAS_\w+|NUMEXPR_\w+|BLIS_\w+|VECLIB_\w+|GOTO_\w+|KMP_\w+"
)
"""Names that belong to the machine and to numeric libraries, whichever code reads them."""

ABSENCE = frozenset({"KeyError", "LookupError", "Exception", "BaseException"})


@dataclass(frozen=True, kw_only=True, slots=True)
class VariableMention:
    """Code reads an environment variable by name.

    Attributes:
        name: The name of the variable.
        line: The line that reads it.
        needed: Whether that line raises if the variable is unset.
        file: The file, relative to the model, where that is known.
    """

    name: str
    line: int
    needed: bool
    file: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AbsenceGuard:
    """Lines that run knowing whether a variable is set. names: None for any variable."""

    first: int
    last: int
    names: frozenset[str] | None

    def covers(self, name: str, line: int) -> bool:
        """Whether the guard handles the absence of the variable where that line reads it."""
        if self.names is not None and name not in self.names:
            return False
        return self.first <= line <= self.last


def mentioned(nodes: Iterable[ast.AST]) -> Iterator[VariableMention]:
    """Yield each environment variable that code reads by a literal name."""
    for node in nodes:
        name = _name_read(node)
        if text := text_of(name):
            needed = isinstance(node, ast.Subscript)
            yield VariableMention(name=text, line=getattr(name, "lineno", 0), needed=needed)
        if isinstance(node, ast.ClassDef) and _is_settings(node):
            yield from _settings(node)


def absence_guards(nodes: Iterable[ast.AST]) -> Iterator[AbsenceGuard]:
    """Yield where the absence of a variable is caught, or was tested before."""
    for node in nodes:
        if isinstance(node, ast.Try) and catches(node, ABSENCE):
            yield _guard(node.body, None)
        elif isinstance(node, ast.With) and catches(node, ABSENCE):
            yield _guard([node], None)
        elif isinstance(node, ast.If) and (names := _names_tested(node.test)):
            yield _guard(node.body, names)
            if node.orelse:
                yield _guard(node.orelse, names)
        elif (isinstance(node, ast.IfExp) and (names := _names_tested(node.test))) or (
            isinstance(node, ast.BoolOp) and (names := _names_tested(node))
        ):
            yield _guard([node], names)


def _guard(nodes: Sequence[ast.stmt | ast.expr], names: frozenset[str] | None) -> AbsenceGuard:
    last = nodes[-1]
    return AbsenceGuard(first=nodes[0].lineno, last=last.end_lineno or last.lineno, names=names)


def _name_read(node: ast.AST) -> ast.expr | None:
    """The expression that names the variable: in `environ[…]`, `environ.get(…)`, `… in environ`."""
    match node:
        case ast.Subscript(value=mapping, slice=name, ctx=ast.Load()) if _is_environ(mapping):
            return name
        case ast.Call(func=ast.Attribute(attr="get", value=mapping), args=[name, *_]) if (
            _is_environ(mapping)
        ):
            return name
        case ast.Call(args=[name, *_]) if called_name(node) == "getenv":
            return name
        case ast.Compare(
            left=name, ops=[ast.In() | ast.NotIn(), *_], comparators=[mapping, *_]
        ) if _is_environ(mapping):
            return name
    return None


def _is_environ(node: ast.expr) -> bool:
    return last_name(node) == "environ"


def _is_settings(node: ast.ClassDef) -> bool:
    return any(last_name(base).endswith("BaseSettings") for base in node.bases)


def _settings(node: ast.ClassDef) -> Iterator[VariableMention]:
    """The fields of a pydantic settings class: variables of their names, in capitals."""
    prefix = next(_prefixes(node), "")
    for field in node.body:
        match field:
            case ast.AnnAssign(target=ast.Name(id=name), value=default) if name != "model_config":
                variable = f"{prefix}{name}".upper()
                yield VariableMention(name=variable, line=field.lineno, needed=default is None)


def _prefixes(node: ast.ClassDef) -> Iterator[str]:
    """The values of `env_prefix` in `SettingsConfigDict(…)` or in an inner class `Config`."""
    for inner in ast.walk(node):
        match inner:
            case ast.keyword(arg="env_prefix", value=value):
                prefix = text_of(value)
            case ast.Assign(targets=[ast.Name(id="env_prefix"), *_], value=value):
                prefix = text_of(value)
            case _:
                continue
        if prefix is not None:
            yield prefix


def _names_tested(test: ast.expr) -> frozenset[str]:
    """The variables whose presence a condition tests: `n in …`, `….get(n)`, `getenv(n)`."""
    names = map(_name_tested, ast.walk(test))
    return frozenset(filter(None, names))


def _name_tested(node: ast.AST) -> str | None:
    match node:
        case ast.Compare(left=name, ops=[ast.In() | ast.NotIn(), *_]):
            return text_of(name)
        case ast.Call(args=[name, *_]) if called_name(node).endswith(("get", "getenv")):
            return text_of(name)
    return None
