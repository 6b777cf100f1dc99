"""The lock: where each distribution of the closure can be downloaded again, with hashes.

The versions are the installed ones; a resolver is asked only for what the environment cannot tell,
the files of those versions and their hashes, from the indexes that it is configured with. No code
of source distributions is run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from envkit.formats import pylock_toml
from envkit.formats.credentials import placeholders, without_credentials
from envkit.formats.pylock import Package, PackageArchive, PackageVcs, with_built_from
from envkit.formats.requirement import Requirement
from envkit.formats.requirement_lines import Option
from envkit.installed.distribution import Distribution, Origin
from envkit.interpreters.facts import InterpreterFacts
from envkit.locking import resolvers, uv_lock
from envkit.locking.local_wheels import LocalWheel
from envkit.locking.pins import reference
from envkit.locking.query import FoundFiles, Query, Resolver, Target

NO_WHEELS: Mapping[NormalizedName, LocalWheel] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """Every distribution has a source with a hash or a commit; `text` is that of `pylock.toml`."""

    text: str
    packages: tuple[Package, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Unlocked:
    """There is no lock, because some distributions have no source.

    reasons: sentences without their full stop. not_on_index: the names of those that no index has.
    """

    reasons: tuple[str, ...]
    not_on_index: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class LookedUp:
    """What indexes have of some pins, by name.

    reasons: in a sentence each, without its full stop, why some are missing. not_on_index: the
    names of those that no index has.
    """

    packages: dict[str, Package]
    reasons: tuple[str, ...] = ()
    not_on_index: frozenset[str] = frozenset()


def lock(
    closure: Iterable[Distribution],
    interpreter: InterpreterFacts,
    wheels: Mapping[NormalizedName, LocalWheel] = NO_WHEELS,
    *,
    model: Path | None = None,
    resolver: Resolver | None = None,
) -> Locked | Unlocked:
    """Lock the closure as it is installed.

    wheels: those that the model contains. model: its directory; entries of a `uv.lock` there or in
    the working directory's project are used where they name the installed version. resolver: by
    default uv, and pip-tools for what only pip is configured for.
    """
    ordered = sorted(closure, key=lambda distribution: distribution.name)
    known = uv_lock.entries(model) if model is not None else {}
    packages: dict[str, Package] = {}
    unknown: dict[str, Requirement] = {}
    reasons: list[str] = []
    for distribution in ordered:
        name, version = distribution.name, distribution.version
        if distribution.origin is not None:
            package = _direct(distribution, distribution.origin, wheels.get(name))
            if package is None:
                reasons.append(f"{name} was installed from a local folder or file")
        else:
            package = known.get((name, version))
            if package is None:
                unknown[name] = _exact_pin(name, version)
        if package is not None:
            packages[name] = package

    target = Target(python=interpreter.version, executable=interpreter.executable)
    chosen = [resolver] if resolver else resolvers.default()
    looked_up = from_indexes(unknown, target, chosen)
    reasons += looked_up.reasons
    if reasons:
        return Unlocked(reasons=tuple(sorted(reasons)), not_on_index=looked_up.not_on_index)
    packages |= looked_up.packages
    listed = tuple(packages[distribution.name] for distribution in ordered)
    text = pylock_toml.dumps(packages=listed, requires_python=target.requires_python)
    return Locked(text=text, packages=listed)


def from_indexes(
    pins: Mapping[str, Requirement],
    target: Target,
    in_turn: Sequence[Resolver],
    *,
    options: tuple[Option, ...] = (),
) -> LookedUp:
    """Look up pins by name; the next resolver is asked for what the one before does not know."""
    packages: dict[str, Package] = {}
    left = dict(pins)
    reasons: list[str] = []
    not_on_index: frozenset[str] = frozenset()
    for place, resolver in enumerate(in_turn, start=1):
        resolved, missing, output = _look_up(resolver, left, target, options)
        packages |= resolved
        left = {name: pin for name, pin in left.items() if name not in packages}
        if not left:
            return LookedUp(packages=packages)
        if output and not reasons:
            reasons = [f"the index gave no answer: {without_credentials(output)}"]
        if not missing:
            break
        names = " nor ".join(resolver.name for resolver in in_turn[:place])
        shown = [str(left[name]).replace("===", "==") for name in sorted(missing)]
        reasons = [f"no index that {names} knows has a wheel of {pin}" for pin in shown]
        not_on_index = missing
    return LookedUp(packages=packages, reasons=tuple(reasons), not_on_index=not_on_index)


def _look_up(
    resolver: Resolver,
    pins: Mapping[str, Requirement],
    target: Target,
    options: tuple[Option, ...],
) -> tuple[dict[str, Package], frozenset[str], str]:
    """Give the packages, the names without files, and the output if the resolver failed.

    A resolver gives nothing when one package is missing: it is asked again without that.
    """
    missing: frozenset[str] = frozenset()
    while known := tuple(pin for name, pin in pins.items() if name not in missing):
        answer = resolver.resolve(Query(requirements=known, target=target, options=options))
        if isinstance(answer, FoundFiles):
            return dict(_by_name(answer.packages)), missing, ""
        unknown = answer.missing & pins.keys() - missing
        if not unknown:
            return {}, missing, answer.output or "no answer"
        missing |= unknown
    return {}, missing, ""


def _by_name(packages: Iterable[Package]) -> Iterator[tuple[str, Package]]:
    for package in packages:
        yield package.name, lasting(package)


def lasting(package: Package) -> Package:
    """The package without upload times, which an index gives at one time and not at another."""
    wheels = package.wheels
    if wheels is not None:
        wheels = [replace(wheel, upload_time=None) for wheel in wheels]
    sdist = package.sdist
    if sdist is not None:
        sdist = replace(sdist, upload_time=None)
    return replace(package, wheels=wheels, sdist=sdist)


def _exact_pin(name: str, version: str) -> Requirement:
    """Pin this very version: `==2.3.0` would also admit `2.3.0+cpu` (PEP 440)."""
    operator = "==" if "+" in version else "==="
    return Requirement(text=f"{name}{operator}{version}")


def _direct(distribution: Distribution, origin: Origin, wheel: LocalWheel | None) -> Package | None:
    """The entry for what was installed from a URL; None where nobody else can reach it."""
    if wheel is not None:
        return _of_wheel(wheel, origin)
    if origin.local and not origin.is_commit:
        return None
    entry = Package(name=distribution.name, version=_version(distribution.version))
    url = placeholders(origin.url)
    subdirectory = origin.subdirectory or None
    if origin.vcs and origin.commit:
        vcs = PackageVcs(
            type=origin.vcs, url=url, commit_id=origin.commit, subdirectory=subdirectory
        )
        return replace(entry, vcs=vcs)
    if origin.digest:
        algorithm, _, digest = origin.digest.partition(":")
        archive = PackageArchive(url=url, hashes={algorithm: digest}, subdirectory=subdirectory)
        return replace(entry, archive=archive)
    return None


def _version(text: str) -> Version | None:
    """Parse a version; PEP 751 omits that of a direct reference if it is not one of PEP 440."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _of_wheel(wheel: LocalWheel, origin: Origin) -> Package:
    """The entry for a wheel of the model; it records the commit that it was built from."""
    return Package(
        name=wheel.name,
        version=_version(wheel.version),
        archive=PackageArchive(path=wheel.path, hashes={"sha256": wheel.sha256}),
        tool=with_built_from(reference(origin)) if origin.is_commit else None,
    )
