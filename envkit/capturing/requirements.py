"""From the trace to what must be installed: what the model itself needs, and what that implies.

A distribution is a *requirement* when the model's own code imports it; when its artifacts, its
input or its loader need it and nothing else that is required brings it; or when a library that the
model uses went and imported it without declaring it (a plugin, an engine, an extra). Everything
that the requirements' metadata implies is a *constraint*. What a library merely tries to import
while it is itself imported, ready to do without, is *optional*: used because it happened to be
there.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from packaging.utils import NormalizedName

from envkit.analysis.source_imports import ABSENCE
from envkit.capturing.places import RUNNER, Places
from envkit.capturing.trace import Import, Trace
from envkit.installed.closure import Closures, Roots, Unmet
from envkit.installed.distributions import Distribution, InstalledDistributions, is_metadata

IMPORTING_CALLS = frozenset(
    {"import_module", "__import__", "load", "load_module", "exec_module", "resolve", "exec"}
)
SCHEME = re.compile(r"([a-z]+)\d*[a-z]?://")  # socks5h://


@dataclass(frozen=True, kw_only=True, slots=True)
class Needed:
    """A distribution with the extras that are asked of it and the imports that show why.

    implied_by: the distributions of the closure whose metadata asks for it.
    """

    distribution: Distribution
    extras: frozenset[str] = frozenset()
    implied_by: tuple[NormalizedName, ...] = ()
    reasons: tuple[Import, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outside:
    """A module, or a file that the model read (then `module` is its path), of neither the model nor a distribution."""

    module: str
    file: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What the environment must hold. Each tuple is sorted by name.

    optional: imported where it was there, not needed. outside: modules that will be missing
    elsewhere.
    """

    requirements: tuple[Needed, ...]
    constraints: tuple[Needed, ...]
    optional: tuple[Needed, ...]
    outside: tuple[Outside, ...]
    unmet: tuple[Unmet, ...]

    @property
    def needed(self) -> tuple[Needed, ...]:
        """All that is installed."""
        return (*self.requirements, *self.constraints)

    @property
    def distributions(self) -> list[Distribution]:
        """Of all that is needed."""
        return [each.distribution for each in self.needed]


def select(trace: Trace, installed: InstalledDistributions, places: Places) -> Selection:
    """Decide what the traced model needs of what is installed."""
    evidence = _Evidence.gather(trace, installed, places)
    closures = Closures(installed, trace.interpreter.markers)
    roots = _roots(evidence, closures)
    closure = closures.of(roots)
    used = evidence.reasons
    optional = {edge.target for edge in evidence.between} - closure
    implied = defaultdict(tuple[NormalizedName, ...], closures.implied_by(roots))
    return Selection(
        requirements=_sorted(
            Needed(distribution=d, extras=extras, implied_by=implied[d], reasons=used[d])
            for d, extras in roots.items()
        ),
        constraints=_sorted(
            Needed(distribution=d, implied_by=implied[d], reasons=used[d])
            for d in closure
            if d not in roots
        ),
        optional=_sorted(Needed(distribution=d, reasons=used[d]) for d in optional),
        outside=evidence.outside,
        unmet=closures.unmet(roots),
    )


@dataclass(frozen=True, slots=True)
class _Edge:
    source: Distribution
    target: Distribution
    import_: Import


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Imports, sorted by who made them.

    by_code: by the model's own code. on_behalf: by its artifacts, or by the runner for it. between:
    by libraries. named: those of which the model's code names a module in a text, as one names an
    engine or a parser. asked: gives the files of the modules that the model or the runner itself
    asked for, with what they need to be imported; found when it is first called, which is rare and
    costly.
    """

    by_code: frozenset[Distribution]
    on_behalf: frozenset[Distribution]
    between: tuple[_Edge, ...]
    reasons: Mapping[Distribution, tuple[Import, ...]]
    outside: tuple[Outside, ...]
    named: frozenset[Distribution] = frozenset()
    asked: Callable[[], frozenset[str]] = frozenset

    @classmethod
    def gather(cls, trace: Trace, installed: InstalledDistributions, places: Places) -> _Evidence:
        by_code, on_behalf, between = set(), set(), []
        reasons: dict[Distribution, list[Import]] = defaultdict(list)
        outside: dict[str, str] = {}
        entries: set[str] = set()
        for each in (*trace.imports, *trace.reads):
            file = each.module if each.data else trace.files.get(each.module)
            if (
                file is None
                or places.is_local(file)
                or (each.data and is_metadata(file) and each.kind != "metadata")
            ):
                continue
            target, source = installed.owner(file), places.source(each)
            # libraries look around; the model means it
            if each.kind == "metadata" and source is not None:
                continue
            if (
                target is None
                and not places.is_of_the_system(file)
                and (source is None or not each.data)
            ):
                outside[each.module] = file
            if target is None or source == target:
                continue
            reasons[target].append(each)
            if source is None and not each.data:
                entries.add(each.module)
            if source is not None:
                between.append(_Edge(source, target, each))
            elif each.artifact or each.importer.partition(".")[0] == RUNNER:
                on_behalf.add(target)
            else:
                by_code.add(target)
        said = _said(
            file for file in trace.files.values() if file is not None and places.is_local(file)
        )
        return cls(
            by_code=frozenset(by_code),
            on_behalf=frozenset(on_behalf),
            between=tuple(between),
            named=frozenset(
                each.target for each in between if each.import_.module.partition(".")[0] in said
            ),
            reasons=defaultdict(
                tuple, {d: tuple(sorted(set(found), key=_order)) for d, found in reasons.items()}
            ),
            outside=tuple(
                Outside(module=module, file=file) for module, file in sorted(outside.items())
            ),
            asked=cache(lambda: frozenset(_asked(entries, trace.files))),
        )


def _asked(entries: Iterable[str], files: Mapping[str, str | None]) -> Iterator[str]:
    """The files of modules, of the packages they are in, and of the modules that those import whatever comes."""
    for entry in entries:
        parts = entry.split(".")
        for end in range(1, len(parts) + 1):
            file = files.get(".".join(parts[:end]))
            if file is not None:
                yield file
                yield from filter(None, (files.get(name) for name in _source(file).unconditional))


def _roots(evidence: _Evidence, closures: Closures) -> dict[Distribution, frozenset[str]]:
    roots = dict.fromkeys(
        sorted(evidence.by_code | evidence.on_behalf, key=_name), frozenset[str]()
    )
    _add_undeclared(roots, evidence, closures)
    for distribution in sorted(evidence.on_behalf - evidence.by_code, key=_name):
        others = {each: extras for each, extras in roots.items() if each != distribution}
        if not roots[distribution] and distribution in closures.of(others):
            roots = others
    return roots


def _add_undeclared(
    roots: dict[Distribution, frozenset[str]], evidence: _Evidence, closures: Closures
) -> None:
    """Add what libraries imported without declaring it: as their extra where that fits, else by name."""
    while True:
        closure = closures.of(roots)
        needs = [each for each in evidence.between if _is_undeclared_need(each, closure, evidence)]
        if not needs:
            return
        pairs = dict.fromkeys((each.source, each.target) for each in needs)
        asked = next(
            filter(None, (_extra(*each, roots, evidence, closures) for each in pairs)), None
        )
        if asked is not None:
            roots[asked[0]] |= {asked[1]}
        else:
            roots[needs[0].target] = frozenset()


def _extra(
    importer: Distribution,
    target: Distribution,
    roots: Roots,
    evidence: _Evidence,
    closures: Closures,
) -> tuple[Distribution, str] | None:
    """A requirement that brings the importer, and the extra of it that is the reason for what was imported."""
    for asking in (importer, *(each for each in roots if each != importer)):
        if asking in roots and importer in closures.of({asking: frozenset()}):
            extra = closures.extra_that_brings(asking, target, evidence.reasons)
            if extra is not None:
                return asking, extra
    return None


def _is_undeclared_need(edge: _Edge, closure: frozenset[Distribution], evidence: _Evidence) -> bool:
    if edge.source not in closure or edge.target in closure or _brings_a_copy(edge):
        return False
    return edge.target in evidence.named or not _does_without(edge, evidence)


def _brings_a_copy(edge: _Edge) -> bool:
    """Whether the importer has the module itself, below `_vendor`, for where it is not installed."""
    top = edge.import_.module.partition(".")[0]
    ends = (f"_vendor/{top}.py", f"_vendor/{top}/__init__.py")
    return any("_vendor/" in path and path.endswith(ends) for path in edge.source.record)


def _does_without(edge: _Edge, evidence: _Evidence) -> bool:
    """Whether the importer gets along without the module.

    It does when it asks only while it is being imported itself, and somewhere there catches that
    the module is absent: what it then imports of it unguarded, it imports knowing that it is there.
    """
    if not edge.import_.importing and _says_what_it_imports(edge.import_):
        return False
    same = (
        each.import_
        for each in evidence.between
        if (each.source, each.target) == (edge.source, edge.target)
    )
    return any(_is_guarded(each, evidence.asked) for each in same)


def _says_what_it_imports(import_: Import) -> bool:
    """Whether the importer's own code asks for the module at that line.

    If not, compiled code that it calls did: a part of the very package that it deals with, or a
    name in a pickle.
    """
    if import_.data or import_.importer_file is None:
        return True
    source = _source(import_.importer_file)
    tops = source.imports.get(import_.line)
    if not source.imports or (tops and import_.module.partition(".")[0] in tops):
        return True
    return import_.line in source.calls


def _is_guarded(import_: Import, asked: Callable[[], frozenset[str]]) -> bool:
    """Whether it was imported where that may fail; a guard does not count for what lies within it and was asked for."""
    if not import_.importing:
        return False
    frames = import_.importing
    guard = next(
        (at for at, (file, line) in enumerate(frames) if _is_within_guard(file, line)), None
    )
    if guard is not None and not any(_is_asked_for(*each, asked) for each in frames[:guard]):
        return True
    file, line = import_.importing[0]
    imported = _source(file).imports.get(line)
    # compiled code: it is not told
    return imported is not None and import_.module.partition(".")[0] not in imported


def _is_within_guard(file: str, line: int) -> bool:
    return any(first <= line <= last for first, last in _source(file).guarded)


def _is_asked_for(file: str, line: int, asked: Callable[[], frozenset[str]]) -> bool:
    return line in _source(file).unconditional.values() and file in asked()


class _Source:
    """What a source file says of its imports. Each part is found when it is first asked for: some files are long."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree

    @cached_property
    def guarded(self) -> tuple[tuple[int, int], ...]:
        """The line ranges of `try` bodies that catch a failed import, and of `with suppress(ImportError)`."""
        return tuple(_guards(_statements(self._tree.body)))

    @cached_property
    def imports(self) -> Mapping[int, frozenset[str]]:
        """The top-level modules that import statements name, by line; a relative import names ""."""
        return dict(_imports(_statements(self._tree.body)))

    @cached_property
    def calls(self) -> frozenset[int]:
        """The lines of calls that may import what they are given a name of."""
        return frozenset(_calls(ast.walk(self._tree)))

    @cached_property
    def texts(self) -> frozenset[str]:
        """What string literals say, of URLs the scheme."""
        return frozenset(_texts(ast.walk(self._tree)))

    @cached_property
    def unconditional(self) -> Mapping[str, int]:
        """The modules that statements of its top level import, outside of all others, with their lines."""
        return dict(_unconditional(self._tree))


@cache
def _source(file: str) -> _Source:
    try:
        return _Source(ast.parse(Path(file).read_bytes()))
    except (
        OSError,
        SyntaxError,
        ValueError,
    ):  # no source, or of another Python: nothing is known of it
        return _Source(ast.Module(body=[], type_ignores=[]))


def _statements(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield statements and what is within them, but for expressions: imports are none."""
    for each in body:
        yield each
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from _statements(getattr(each, name, None) or ())


def _said(files: Iterable[str]) -> frozenset[str]:
    return frozenset(text for file in files if file.endswith(".py") for text in _source(file).texts)


def _texts(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            scheme = SCHEME.match(node.value)
            yield scheme[1] if scheme else node.value


def _imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, frozenset[str]]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield node.lineno, frozenset(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (
                node.lineno,
                frozenset({(node.module or "").partition(".")[0] if not node.level else ""}),
            )


def _unconditional(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def _calls(nodes: Iterable[ast.AST]) -> Iterator[int]:
    for node in nodes:
        if isinstance(node, ast.Call) and _last_name(node.func) in IMPORTING_CALLS:
            yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _last_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return getattr(function, "id", "")


def _guards(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, int]]:
    for node in nodes:
        if isinstance(node, ast.Try) and any(
            _catches_absence(handler.type) for handler in node.handlers
        ):
            yield node.lineno, node.body[-1].end_lineno or node.lineno
        elif isinstance(node, ast.With) and any(
            _suppresses(item.context_expr) for item in node.items
        ):
            yield node.lineno, node.end_lineno or node.lineno


def _catches_absence(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(name, ast.Name) and name.id in ABSENCE for name in names)


def _suppresses(expression: ast.expr) -> bool:
    return (
        isinstance(expression, ast.Call)
        and _last_name(expression.func) == "suppress"
        and any(_catches_absence(argument) for argument in expression.args)
    )


def _sorted(needed: Iterator[Needed]) -> tuple[Needed, ...]:
    return tuple(sorted(needed, key=lambda each: each.distribution.name))


def _name(distribution: Distribution) -> str:
    return distribution.name


def _order(each: Import) -> tuple[str, str, int, str]:
    return (each.phase, each.importer, each.line, each.module)
