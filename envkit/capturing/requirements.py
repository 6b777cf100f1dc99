"""From the distributions that a model used to what must be installed.

A distribution is a *requirement* when the model's own code imports it; when its artifacts, its
input or its loader need it and no other requirement brings it; or when a library that the model
uses imported it without declaring it (a plugin, an engine, an extra). Everything else that the
requirements' metadata brings is a *constraint*. What a library only tried to import
(`optional_imports.py`) is *optional*.

    trace ── module_to_distribution.py ──> uses of distributions ──> this file ──> Selection
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from packaging.utils import NormalizedName

from envkit.analysis.source_file import SourceFiles
from envkit.capturing.module_to_distribution import (
    DistributionUse,
    UnownedFile,
    to_distributions,
)
from envkit.capturing.optional_imports import OptionalImports
from envkit.capturing.places import Places
from envkit.capturing.trace import PickledModule, Trace, Use
from envkit.installed.closure import Closures, Roots, Unmet
from envkit.installed.distribution import Distribution
from envkit.installed.distributions import InstalledDistributions

NO_EXTRAS = frozenset[str]()


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectedDistribution:
    """A distribution of the environment.

    Attributes:
        distribution: The distribution.
        extras: The extras that are required of it.
        implied_by: The distributions of the environment whose metadata requires it.
        reasons: What used it.
    """

    distribution: Distribution
    extras: frozenset[str] = NO_EXTRAS
    implied_by: tuple[NormalizedName, ...] = ()
    reasons: tuple[Use, ...] = ()

    def without_local_version(self) -> SelectedDistribution:
        """Return `2.3.0` for `2.3.0+cpu`, except for what did not come from an index.

        https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers
        """
        version, label, _ = self.distribution.version.partition("+")
        if self.distribution.origin is not None or not label:
            return self
        return replace(self, distribution=replace(self.distribution, version=version))


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What the environment must hold. Each tuple is sorted by name.

    Attributes:
        requirements: What the model needs itself.
        constraints: What the requirements imply.
        optional: What libraries used because it happened to be installed.
        outside: Files that will be missing on other machines.
        unmet: Declared dependencies that are not installed, or not in a fitting version.
    """

    requirements: tuple[SelectedDistribution, ...]
    constraints: tuple[SelectedDistribution, ...]
    optional: tuple[SelectedDistribution, ...]
    outside: tuple[UnownedFile, ...]
    unmet: tuple[Unmet, ...]

    @property
    def needed(self) -> tuple[SelectedDistribution, ...]:
        """Everything that is installed."""
        return (*self.requirements, *self.constraints)

    @property
    def distributions(self) -> list[Distribution]:
        """The distributions of everything that is installed."""
        return [selected.distribution for selected in self.needed]

    def without_local_versions(self) -> Selection:
        """Return the selection for targets whose indexes have no builds with a local version."""
        without = SelectedDistribution.without_local_version
        return replace(
            self,
            requirements=tuple(map(without, self.requirements)),
            constraints=tuple(map(without, self.constraints)),
        )


def select(
    trace: Trace,
    installed: InstalledDistributions,
    places: Places,
    sources: SourceFiles,
    engines: frozenset[str] = frozenset(),
) -> Selection:
    """Decide which of the installed distributions the traced model needs.

    engines: words of the model's configuration that may name a library.
    """
    used = to_distributions(trace, installed, places)
    closures = Closures(installed, trace.interpreter.markers)
    optional = OptionalImports(used.uses, trace, places, sources, engines)
    roots = _Roots(used.uses, closures, optional).find()

    closure = closures.of(roots)
    tried = {use.distribution for use in used.uses if use.user is not None}
    reasons = _reasons(used.uses)
    implied_by = closures.implied_by(roots)

    def selected(distribution: Distribution) -> SelectedDistribution:
        return SelectedDistribution(
            distribution=distribution,
            extras=roots.get(distribution, NO_EXTRAS),
            implied_by=implied_by.get(distribution, ()),
            reasons=reasons.get(distribution, ()),
        )

    return Selection(
        requirements=tuple(map(selected, _by_name(roots))),
        constraints=tuple(map(selected, _by_name(closure - roots.keys()))),
        optional=tuple(map(selected, _by_name(tried - closure))),
        outside=used.unowned,
        unmet=closures.unmet(roots),
    )


class _Roots:
    """Finds the requirements: distributions that, with what they imply, are all that is needed."""

    def __init__(
        self,
        uses: Iterable[DistributionUse],
        closures: Closures,
        optional: OptionalImports,
    ) -> None:
        self._uses = tuple(uses)
        self._by_libraries = [use for use in self._uses if use.user is not None]
        self._used = {use.distribution for use in self._uses}
        self._closures, self._optional = closures, optional

    def find(self) -> Roots:
        """Return the requirements, each with its extras."""
        by_model = [use for use in self._uses if use.user is None]
        by_code = {use.distribution for use in by_model if not use.is_on_behalf}
        on_behalf = {use.distribution for use in by_model if use.is_on_behalf}
        roots: Roots = dict.fromkeys(_by_name(by_code | on_behalf), NO_EXTRAS)
        roots = self._with_undeclared(roots)
        return self._without_implied(roots, on_behalf - by_code)

    def _with_undeclared(self, roots: Roots) -> Roots:
        """Add what libraries import but do not declare: as a fitting extra, else by name."""
        while needed := self._undeclared(roots):
            extra = self._first_fitting_extra(needed, roots)
            if extra is not None:
                distribution, name = extra
                roots = {**roots, distribution: roots[distribution] | {name}}
            else:
                roots = {**roots, needed[0].distribution: NO_EXTRAS}
        return roots

    def _undeclared(self, roots: Roots) -> list[DistributionUse]:
        """What installed libraries need that is not installed with the roots."""
        closure = self._closures.of(roots)
        return [
            use
            for use in self._by_libraries
            if use.user in closure
            and use.distribution not in closure
            and self._optional.is_needed(use)
        ]

    def _first_fitting_extra(
        self, needed: Iterable[DistributionUse], roots: Roots
    ) -> tuple[Distribution, str] | None:
        """The first requirement with an extra that is the reason for one of the imports."""
        pairs = [(use.user, use.distribution) for use in needed if use.user is not None]
        for importer, imported in dict.fromkeys(pairs):
            for root in self._roots_that_bring(importer, roots):
                extra = self._closures.extra_that_brings(root, imported, self._used)
                if extra is not None:
                    return root, extra
        return None

    def _roots_that_bring(self, distribution: Distribution, roots: Roots) -> list[Distribution]:
        """The requirements whose closure has the distribution, itself first."""
        others = [root for root in roots if root != distribution]
        candidates = [distribution, *others] if distribution in roots else others
        closure_of = self._closures.of
        return [root for root in candidates if distribution in closure_of({root: NO_EXTRAS})]

    def _without_implied(self, roots: Roots, candidates: Iterable[Distribution]) -> Roots:
        """Leave out those candidates that other requirements bring, one after the other."""
        for distribution in _by_name(candidates):
            others = dict(roots)
            extras = others.pop(distribution)
            if not extras and distribution in self._closures.of(others):
                roots = others
        return roots


def _reasons(uses: Iterable[DistributionUse]) -> Mapping[Distribution, tuple[Use, ...]]:
    """What used each distribution, in an order that is the same in each capture."""
    reasons: dict[Distribution, set[Use]] = defaultdict(set)
    for use in uses:
        reasons[use.distribution].add(use.use)
    return {
        distribution: tuple(sorted(uses_of_it, key=_order_of_reasons))
        for distribution, uses_of_it in reasons.items()
    }


def _order_of_reasons(use: Use) -> tuple[str, str, int, str, bool]:
    what: str = getattr(use, "module", "") or getattr(use, "path", "")
    return (use.phase, use.by.module, use.by.line, what, isinstance(use, PickledModule))


def _by_name(distributions: Iterable[Distribution]) -> list[Distribution]:
    return sorted(distributions, key=lambda distribution: distribution.name)
