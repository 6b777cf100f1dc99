"""What distributions bring with them: the closure of their declared dependencies, as installed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from envkit.formats.credentials import placeholders
from envkit.installed.distribution import Distribution
from envkit.installed.distributions import InstalledDistributions
from envkit.models.capture_warnings import CaptureWarning, WarningKind

Roots = Mapping[Distribution, frozenset[str]]
"""Distributions, each with the extras that are required of it."""

NO_EXTRA = ""
COLLECTIONS = frozenset({"all", "complete", "everything", "full"})
DEVELOPMENT = frozenset(
    {"dev", "develop", "development", "doc", "docs", "test", "testing", "tests"}
)


@dataclass(frozen=True, slots=True)
class Unmet:
    """A declared dependency that the environment does not satisfy.

    Attributes:
        by: The distribution that declares it.
        requirement: The dependency, without its marker.
        version: The installed version, None if it is not installed.
    """

    by: NormalizedName
    requirement: str
    version: str | None

    def __str__(self) -> str:
        state = "it is not installed"
        if self.version is not None:
            state = f"{self.version} is installed"
        return f"{self.by} requires `{self.requirement}`, but {state}"


def unreadable(distributions: Iterable[Distribution]) -> Iterator[CaptureWarning]:
    """Yield a warning for each line of metadata that is not a requirement (PEP 508)."""
    for distribution in distributions:
        for line in distribution.unreadable_requires:
            detail = (
                f"{distribution.name} requires `{placeholders(line)}`, which is not a valid "
                "requirement: what it means is not known"
            )
            yield CaptureWarning(kind=WarningKind.UNREAD, subject=distribution.name, detail=detail)


class Closures:
    """The closures in one environment, with markers evaluated for its interpreter."""

    def __init__(self, installed: InstalledDistributions, markers: Mapping[str, str]) -> None:
        self._installed = installed
        self._markers = dict(markers)
        self._requirements = cache(self._requirements_of)

    def of(self, roots: Roots) -> frozenset[Distribution]:
        """The roots, and every installed distribution that they require, directly or not."""
        return frozenset(distribution for distribution, _ in self._walk(roots))

    def implied_by(self, roots: Roots) -> Mapping[Distribution, tuple[NormalizedName, ...]]:
        """By distribution of the closure, the names of those that require it, sorted."""
        names: dict[Distribution, set[NormalizedName]] = defaultdict(set)
        for distribution, requirement in self._requirements_in(roots):
            target = self._installed.named(requirement.name)
            if target is not None and target != distribution:
                names[target].add(distribution.name)
        return {target: tuple(sorted(names[target])) for target in names}

    def unmet(self, roots: Roots) -> tuple[Unmet, ...]:
        """Declared dependencies that are not installed, or not in a version that fits."""
        unmet = set()
        for distribution, requirement in self._requirements_in(roots):
            target = self._installed.named(requirement.name)
            version = target.version if target is not None else None
            if version is None or not requirement.specifier.contains(version, prereleases=True):
                text = str(requirement).partition(";")[0].strip()
                unmet.add(Unmet(distribution.name, placeholders(text), version))
        return tuple(sorted(unmet, key=str))

    def extra_that_brings(
        self,
        distribution: Distribution,
        wanted: Distribution,
        used: Set[Distribution],
    ) -> str | None:
        """The extra of `distribution` that is the reason for `wanted`; None if that is not clear.

        It brings what is in `used`, what that implies, and nothing else. No other extra does, and
        no other brings `wanted` together with more, unless the extra has the very name of what is
        wanted. Extras that stand for others, or for work on the distribution, do not count.
        """
        brought = self._brought_by_extras(distribution)
        candidates = [extra for extra in brought if wanted in brought[extra]]
        single = [extra for extra in candidates if not _is_collection(extra, brought)]
        single = single or candidates
        exact = [
            extra for extra in single if self._is_exact(distribution, extra, brought[extra] & used)
        ]
        if len(exact) != 1:
            return None
        if single == exact or exact[0] == wanted.name:
            return exact[0]
        return None

    def _brought_by_extras(self, distribution: Distribution) -> dict[str, frozenset[Distribution]]:
        """What each extra adds to the closure; not extras for work on the distribution."""
        without = self.of({distribution: frozenset()})
        brought = {}
        for extra in distribution.extras:
            if extra not in DEVELOPMENT:
                with_extra = self.of({distribution: frozenset({extra})})
                brought[extra] = with_extra - without
        return brought

    def _is_exact(
        self,
        distribution: Distribution,
        extra: str,
        used: Iterable[Distribution],
    ) -> bool:
        """Whether requiring the extra is the same as requiring what is used by name."""
        by_extra = {distribution: frozenset({extra})}
        by_name = dict.fromkeys((distribution, *used), frozenset[str]())
        if self.of(by_extra) != self.of(by_name):
            return False
        more_unmet = set(self.unmet(by_extra)) - set(self.unmet(by_name))
        return not more_unmet

    def _requirements_in(self, roots: Roots) -> Iterator[tuple[Distribution, Requirement]]:
        """Yield each requirement in the closure, with the distribution that has it."""
        for distribution, extra in self._walk(roots):
            for requirement in self._requirements(distribution, extra):
                yield distribution, requirement

    def _walk(self, roots: Roots) -> Iterator[tuple[Distribution, str]]:
        """Yield each distribution of the closure with each extra that is required of it, once."""
        waiting: list[tuple[Distribution, str]] = []
        for root, extras in roots.items():
            waiting += [(root, extra) for extra in (NO_EXTRA, *extras)]
        seen = set(waiting)
        while waiting:
            distribution, extra = waiting.pop()
            yield distribution, extra
            for requirement in self._requirements(distribution, extra):
                target = self._installed.named(requirement.name)
                if target is None:
                    continue
                required = (NO_EXTRA, *map(canonicalize_name, requirement.extras))
                reached = {(target, name) for name in required} - seen
                waiting.extend(reached)
                seen |= reached

    def _requirements_of(self, distribution: Distribution, extra: str) -> tuple[Requirement, ...]:
        """The requirements whose markers hold for an extra."""
        environment = {**self._markers, "extra": extra}
        return tuple(
            requirement
            for requirement in distribution.requires
            if requirement.marker is None or requirement.marker.evaluate(environment)
        )


def _is_collection(extra: str, brought: Mapping[str, frozenset[Distribution]]) -> bool:
    """Whether an extra stands for several others, by its name or by what it brings."""
    if extra in COLLECTIONS:
        return True
    parts = {other for other in brought.values() if other and other < brought[extra]}
    return len(parts) > 1
