"""What distributions imply: the closure of their declared dependencies, as installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from envkit.capturing.degradations import Degradation, Kind
from envkit.capturing.distributions import Distribution, InstalledDistributions
from envkit.formats.credentials import placeholders

Roots = Mapping[Distribution, frozenset[str]]
"""Distributions, each with the extras that are asked of it."""


@dataclass(frozen=True, slots=True)
class Unmet:
    """A declared dependency that the environment does not fulfil. `found` is the installed version, or None."""

    by: NormalizedName
    requirement: str
    found: str | None

    def __str__(self) -> str:
        state = f"{self.found} is installed" if self.found else "it is not installed"
        return f"{self.by} requires `{self.requirement}`, but {state}"


def unreadable(distributions: Iterable[Distribution]) -> Iterator[Degradation]:
    """Tell of what distributions declare to need in words that are no requirement (PEP 508)."""
    for each in distributions:
        for line in each.unreadable_requires:
            detail = f"{each.name} requires `{placeholders(line)}`, which is no requirement: what it means is not known"
            yield Degradation(kind=Kind.UNREAD, subject=each.name, detail=detail)


class Closures:
    """Answers questions about closures in one environment; markers are evaluated for its interpreter."""

    def __init__(self, installed: InstalledDistributions, markers: Mapping[str, str]) -> None:
        self._installed = installed
        self._markers = dict(markers)
        self._required = cache(self._requirements_of)

    def of(self, roots: Roots) -> frozenset[Distribution]:
        """The roots and every installed distribution that they need, directly or not."""
        return frozenset(distribution for distribution, _ in self._walk(roots))

    def implied_by(self, roots: Roots) -> Mapping[Distribution, tuple[NormalizedName, ...]]:
        """For each distribution of the closure, the names of those whose metadata asks for it, sorted."""
        found: dict[Distribution, set[NormalizedName]] = {}
        for distribution, extra in self._walk(roots):
            for requirement in self._required(distribution, extra):
                target = self._installed.named(requirement.name)
                if target is not None and target != distribution:
                    found.setdefault(target, set()).add(distribution.name)
        return {target: tuple(sorted(names)) for target, names in found.items()}

    def unmet(self, roots: Roots) -> tuple[Unmet, ...]:
        """Declared dependencies that are missing, or installed in a version that does not fit."""
        return tuple(sorted(set(self._unmet(roots)), key=str))

    def extra_that_brings(
        self, distribution: Distribution, wanted: Distribution, present: Iterable[Distribution]
    ) -> str | None:
        """The extra of `distribution` that asks for `wanted` and for nothing that is not in `present` anyway."""
        allowed = {each.name for each in present} | {wanted.name}
        fitting: list[tuple[bool, int, str]] = []
        for extra in distribution.extras:
            named = {canonicalize_name(each.name) for each in self._only_with(distribution, extra)}
            if wanted.name in named and named <= allowed:
                fitting.append((extra != wanted.name, len(named), extra))
        return min(fitting)[-1] if fitting else None

    def _only_with(self, distribution: Distribution, extra: str) -> Iterator[Requirement]:
        """What the extra adds, also through other extras of the same distribution that it names."""
        base = set(self._required(distribution, ""))
        waiting, seen = [extra], {extra}
        while waiting:
            for each in self._required(distribution, waiting.pop()):
                if canonicalize_name(each.name) == distribution.name:
                    others = set(map(canonicalize_name, each.extras)) - seen
                    waiting += others
                    seen |= others
                elif each not in base:
                    yield each

    def _walk(self, roots: Roots) -> Iterator[tuple[Distribution, str]]:
        """Each distribution of the closure with each extra that is asked of it (`""`: none), once."""
        waiting = [(root, extra) for root, extras in roots.items() for extra in ("", *extras)]
        seen = set(waiting)
        while waiting:
            distribution, extra = waiting.pop()
            yield distribution, extra
            for requirement in self._required(distribution, extra):
                target = self._installed.named(requirement.name)
                if target is None:
                    continue
                asked = {(target, each) for each in ("", *map(canonicalize_name, requirement.extras))}
                waiting.extend(asked - seen)
                seen |= asked

    def _unmet(self, roots: Roots) -> Iterator[Unmet]:
        for distribution, extra in self._walk(roots):
            for requirement in self._required(distribution, extra):
                target = self._installed.named(requirement.name)
                version = target.version if target else None
                if version is None or not requirement.specifier.contains(version, prereleases=True):
                    text = str(requirement).partition(";")[0].strip()
                    yield Unmet(by=distribution.name, requirement=placeholders(text), found=version)

    def _requirements_of(self, distribution: Distribution, extra: str) -> tuple[Requirement, ...]:
        environment = {**self._markers, "extra": extra}
        return tuple(
            each
            for each in distribution.requires
            if each.marker is None or each.marker.evaluate(environment=environment)
        )
