"""From the trace to what must be installed: what the model itself needs, and what that implies.

A distribution is a *requirement* when the model's own code imports it; when its artifacts, its input or its
loader need it and nothing else that is required brings it; or when a library that the model uses went and
imported it without declaring it (a plugin, an engine, an extra). Everything that the requirements' metadata
implies is a *constraint*. What a library merely tries to import while it is itself imported, ready to do
without, is *optional*: used because it happened to be there.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from packaging.utils import NormalizedName

from envkit.capturing.closure import Closures, Unmet
from envkit.capturing.distributions import Distribution, InstalledDistributions, is_metadata
from envkit.capturing.places import RUNNER, Places
from envkit.capturing.trace import Import, Trace

ABSENCE = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


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

    optional: imported where it was there, not needed. outside: modules that will be missing elsewhere.
    """

    requirements: tuple[Needed, ...]
    constraints: tuple[Needed, ...]
    optional: tuple[Needed, ...]
    outside: tuple[Outside, ...]
    unmet: tuple[Unmet, ...]


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
            Needed(distribution=d, extras=extras, implied_by=implied[d], reasons=used[d]) for d, extras in roots.items()
        ),
        constraints=_sorted(
            Needed(distribution=d, implied_by=implied[d], reasons=used[d]) for d in closure if d not in roots
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

    by_code: by the model's own code. on_behalf: by its artifacts, or by the runner for it. between: by libraries.
    """

    by_code: frozenset[Distribution]
    on_behalf: frozenset[Distribution]
    between: tuple[_Edge, ...]
    reasons: Mapping[Distribution, tuple[Import, ...]]
    outside: tuple[Outside, ...]

    @classmethod
    def gather(cls, trace: Trace, installed: InstalledDistributions, places: Places) -> _Evidence:
        by_code, on_behalf, between = set(), set(), []
        reasons: dict[Distribution, list[Import]] = defaultdict(list)
        outside: dict[str, str] = {}
        for each in (*trace.imports, *trace.reads):
            file = each.module if each.data else trace.files.get(each.module)
            if file is None or places.is_local(file) or (each.data and is_metadata(file)):
                continue
            target, source = installed.owner(file), places.source(each)
            if target is None and not places.is_of_the_system(file) and (source is None or not each.data):
                outside[each.module] = file
            if target is None or source == target:
                continue
            reasons[target].append(each)
            if source is not None:
                between.append(_Edge(source, target, each))
            elif each.artifact or each.importer.partition(".")[0] == RUNNER:
                on_behalf.add(target)
            else:
                by_code.add(target)
        return cls(
            by_code=frozenset(by_code),
            on_behalf=frozenset(on_behalf),
            between=tuple(between),
            reasons=defaultdict(tuple, {d: tuple(sorted(set(found), key=_order)) for d, found in reasons.items()}),
            outside=tuple(Outside(module=module, file=file) for module, file in sorted(outside.items())),
        )


def _roots(evidence: _Evidence, closures: Closures) -> dict[Distribution, frozenset[str]]:
    roots = dict.fromkeys(sorted(evidence.by_code | evidence.on_behalf, key=_name), frozenset[str]())
    _add_undeclared(roots, evidence, closures)
    for distribution in sorted(evidence.on_behalf - evidence.by_code, key=_name):
        others = {each: extras for each, extras in roots.items() if each != distribution}
        if not roots[distribution] and distribution in closures.of(others):
            roots = others
    return roots


def _add_undeclared(roots: dict[Distribution, frozenset[str]], evidence: _Evidence, closures: Closures) -> None:
    """Add what libraries imported without declaring it: as their extra where that fits, else by name."""
    used = set(evidence.reasons)
    while True:
        closure = closures.of(roots)
        edge = next((each for each in evidence.between if _is_undeclared_need(each, closure, evidence)), None)
        if edge is None:
            return
        extra = None
        if edge.source in roots:
            extra = closures.extra_that_brings(edge.source, edge.target, closure | used)
        if extra is not None:
            roots[edge.source] |= {extra}
        else:
            roots[edge.target] = frozenset()


def _is_undeclared_need(edge: _Edge, closure: frozenset[Distribution], evidence: _Evidence) -> bool:
    return edge.source in closure and edge.target not in closure and not _does_without(edge, evidence)


def _does_without(edge: _Edge, evidence: _Evidence) -> bool:
    """Whether the importer gets along without the module.

    It does when it asks only while it is being imported itself, and somewhere there catches that the module is
    absent: what it then imports of it unguarded, it imports knowing that it is there.
    """
    if not edge.import_.importing:
        return False
    same = (each.import_ for each in evidence.between if (each.source, each.target) == (edge.source, edge.target))
    return any(_is_guarded(each) for each in same)


def _is_guarded(import_: Import) -> bool:
    if any(first <= line <= last for file, line in import_.importing for first, last in _source(file).guarded):
        return True
    file, line = import_.importing[0]
    imported = _source(file).imports.get(line)
    return imported is not None and import_.module.partition(".")[0] not in imported  # compiled code: it is not told


@dataclass(frozen=True, slots=True)
class _Source:
    """What a source file says of its imports.

    guarded: line ranges of `try` bodies that catch a failed import, and of `with suppress(ImportError)`.
    imports: the top-level modules that import statements name, by line; a relative import names "".
    """

    guarded: tuple[tuple[int, int], ...] = ()
    imports: Mapping[int, frozenset[str]] = field(default_factory=dict)


@cache
def _source(file: str) -> _Source:
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):  # no source, or of another Python: nothing is known of it
        return _Source()
    return _Source(guarded=tuple(_guards(tree)), imports=dict(_imports(tree)))


def _imports(tree: ast.AST) -> Iterator[tuple[int, frozenset[str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield node.lineno, frozenset(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, frozenset({(node.module or "").partition(".")[0] if not node.level else ""})


def _guards(tree: ast.AST) -> Iterator[tuple[int, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(_catches_absence(handler.type) for handler in node.handlers):
            yield node.lineno, node.body[-1].end_lineno or node.lineno
        elif isinstance(node, ast.With) and any(_suppresses(item.context_expr) for item in node.items):
            yield node.lineno, node.end_lineno or node.lineno


def _catches_absence(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(name, ast.Name) and name.id in ABSENCE for name in names)


def _suppresses(expression: ast.expr) -> bool:
    return (
        isinstance(expression, ast.Call)
        and ast.unparse(expression.func).endswith("suppress")
        and any(_catches_absence(argument) for argument in expression.args)
    )


def _sorted(needed: Iterator[Needed]) -> tuple[Needed, ...]:
    return tuple(sorted(needed, key=lambda each: each.distribution.name))


def _name(distribution: Distribution) -> str:
    return distribution.name


def _order(each: Import) -> tuple[str, str, int, str]:
    return (each.phase, each.importer, each.line, each.module)
