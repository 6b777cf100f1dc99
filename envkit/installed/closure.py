"""What distributions imply: the closure of their declared dependencies, as installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from envkit.formats.credentials import placeholders
from envkit.installed.distribution import Distribution
from envkit.installed.distributions import InstalledDistributions
from envkit.models.capture_warnings import CaptureWarning, WarningKind

Roots = Mapping[Distribution, frozenset[str]]
"""Distributions, each with the extras that are asked of it."""

EVERYTHING = frozenset({"all", "complete", "everything", "full"})
DEVELOPMENT = frozenset(
    {"dev", "develop", "development", "doc", "docs", "test", "testing", "tests"}
)


@dataclass(frozen=True, slots=True)
class Unmet:
    """A declared dependency that the environment does not fulfil. `found` is the installed version, or None."""

    by: NormalizedName
    requirement: str
    found: str | None

    def __str__(self) -> str:
        if self.found:
            state = f"{self.found} is installed"
        else:
            state = "it is not installed"
        return f"{self.by} requires `{self.requirement}`, but {state}"


def unreadable(distributions: Iterable[Distribution]) -> Iterator[CaptureWarning]:
    """Tell of what distributions declare to need in words that are no requirement (PEP 508)."""
    for each in distributions:
        for line in each.unreadable_requires:
            detail = f"{each.name} requires `{placeholders(line)}`, which is no requirement: what it means is not known"
            yield CaptureWarning(kind=WarningKind.UNREAD, subject=each.name, detail=detail)


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
        self, distribution: Distribution, wanted: Distribution, used: Iterable[Distribution]
    ) -> str | None:
        """The extra of `distribution` that is the reason for `wanted`, or None where none is, or several may be.

        It brings what is in `used`, what that implies, and nothing else. No other extra does, and
        none brings `wanted` together with more, unless the extra has the very name of what is
        wanted. Extras that stand for others, or for work on the distribution, do not count.
        """
        brought = self._brought_by_extras(distribution)
        bringing = [extra for extra, more in brought.items() if wanted in more]
        single = [extra for extra in bringing if not _is_collection(extra, brought)] or bringing
        exact = [
            extra
            for extra in single
            if self._is_exact(distribution, extra, brought[extra] & set(used))
        ]
        clear = len(exact) == 1 and (single == exact or exact[0] == wanted.name)
        if clear:
            return exact[0]
        return None

    def _brought_by_extras(self, distribution: Distribution) -> dict[str, frozenset[Distribution]]:
        """What each extra adds to the closure, without extras for work on the distribution."""
        base = self.of({distribution: frozenset()})
        extras = (each for each in distribution.extras if each not in DEVELOPMENT)
        return {extra: self.of({distribution: frozenset({extra})}) - base for extra in extras}

    def _is_exact(
        self, distribution: Distribution, extra: str, used: Iterable[Distribution]
    ) -> bool:
        """Whether to ask for the extra is to ask for what is used, by name."""
        by_extra = {distribution: frozenset({extra})}
        by_name = {distribution: frozenset[str](), **dict.fromkeys(used, frozenset[str]())}
        same = self.of(by_extra) == self.of(by_name)
        return same and set(self.unmet(by_extra)) <= set(self.unmet(by_name))

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
                asked = {
                    (target, each) for each in ("", *map(canonicalize_name, requirement.extras))
                }
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


def _is_collection(extra: str, brought: Mapping[str, frozenset[Distribution]]) -> bool:
    """Whether the extra stands for several others: by its name, or by what it brings."""
    parts = {
        more for name, more in brought.items() if name != extra and more and more < brought[extra]
    }
    return extra in EVERYTHING or len(parts) > 1
