"""The lock: where each distribution of the closure can be had again, and by which hash it is known.

The versions are the installed ones; a resolver is asked only for what the environment cannot tell,
the files of those versions and their hashes, from the indexes that it is configured with. No source
distribution's code is run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from packaging.utils import NormalizedName

from envkit.formats import pylock_toml
from envkit.formats.credentials import placeholders, without_credentials
from envkit.formats.pylock_toml import LockedPackage
from envkit.formats.requirement import Requirement
from envkit.formats.requirement_lines import Option
from envkit.installed.distribution import Distribution, Origin
from envkit.interpreters.facts import InterpreterFacts
from envkit.locking import resolvers, uv_lock
from envkit.locking.local_wheels import LocalWheel
from envkit.locking.pins import reference
from envkit.locking.query import Found, Question, Resolver, Target

NO_WHEELS: Mapping[NormalizedName, LocalWheel] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """Every distribution has a source with a hash or a commit; `text` is that of `pylock.toml`."""

    text: str
    packages: tuple[LockedPackage, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Unlocked:
    """There is no lock, because some distributions have no source.

    reasons: sentences without their full stop. not_on_index: the names of those that no index has.
    """

    reasons: tuple[str, ...]
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

    wheels: those that the model takes along. model: its directory; a `uv.lock` there or of the
    working directory's project is believed where its versions are the installed ones. resolver:
    what to ask; by default uv, and pip-tools for what pip alone is configured for.
    """
    ordered = sorted(closure, key=lambda each: each.name)
    direct = {
        each.name: _direct(each, wheels.get(each.name))
        for each in ordered
        if each.origin is not None
    }
    known = uv_lock.entries(model) if model is not None else {}
    found: dict[str, LockedPackage] = {
        name: known[name, version]
        for name, version in _indexed(ordered)
        if (name, version) in known
    }
    wanted = {
        name: _exactly(name, version) for name, version in _indexed(ordered) if name not in found
    }
    target = Target(python=interpreter.version, executable=interpreter.executable)
    asked, reasons, unknown = from_indexes(
        wanted, target, [resolver] if resolver else resolvers.default()
    )
    reasons += [
        f"{name} was installed from a local folder or file"
        for name, package in direct.items()
        if not package
    ]
    if reasons:
        return Unlocked(reasons=tuple(sorted(reasons)), not_on_index=unknown)
    packages: dict[str, LockedPackage] = {
        **found,
        **asked,
        **{name: each for name, each in direct.items() if each},
    }
    listed = tuple(packages[each.name] for each in ordered)
    text = pylock_toml.dumps(packages=listed, requires_python=target.requires_python)
    return Locked(text=text, packages=listed)


def from_indexes(
    wanted: Mapping[str, Requirement],
    target: Target,
    asked: Sequence[Resolver],
    *,
    options: tuple[Option, ...] = (),
) -> tuple[dict[str, LockedPackage], list[str], frozenset[str]]:
    """Ask for all pins at once, by name; what a resolver does not know is left out, and the next one is asked for it.

    Gives the packages that were found, in a sentence each the reasons why some were not, and the
    names of those that no index has.
    """
    found: dict[str, LockedPackage] = {}
    left = dict(wanted)
    reasons: list[str] = []
    unknown: frozenset[str] = frozenset()
    for resolver in asked:
        here, missing, said = _ask(resolver, left, target, options)
        found.update(here)
        left = {name: pin for name, pin in left.items() if name not in found}
        if not left:
            return found, [], frozenset()
        if said:
            reasons = reasons or [f"the index could not be asked: {without_credentials(said)}"]
        if not missing:
            break
        known_to = " nor ".join(each.name for each in asked[: asked.index(resolver) + 1])
        pins = [str(left[name]).replace("===", "==") for name in sorted(missing)]
        reasons = [f"no index that {known_to} knows has a wheel of {pin}" for pin in pins]
        unknown = missing
    return found, reasons, unknown


def _ask(
    resolver: Resolver,
    wanted: Mapping[str, Requirement],
    target: Target,
    options: tuple[Option, ...],
) -> tuple[dict[str, LockedPackage], frozenset[str], str]:
    """Give what it found, the names of what it does not know, and what it said when it failed for another reason."""
    missing: frozenset[str] = frozenset()
    while pins := tuple(pin for name, pin in wanted.items() if name not in missing):
        answer = resolver.ask(Question(requirements=pins, target=target, options=options))
        if isinstance(answer, Found):
            return {package["name"]: lasting(package) for package in answer.packages}, missing, ""
        unknown = answer.missing & wanted.keys() - missing
        if not unknown:
            return {}, missing, answer.said or "no answer"
        missing |= unknown
    return {}, missing, ""


def lasting(package: LockedPackage) -> LockedPackage:
    """The entry without times of upload, which an index gives at one time and not at another."""
    kept: dict[str, Any] = dict(package)
    if "wheels" in kept:
        kept["wheels"] = [
            {key: each[key] for key in each if key != "upload-time"} for each in kept["wheels"]
        ]
    if "sdist" in kept:
        kept["sdist"] = {key: kept["sdist"][key] for key in kept["sdist"] if key != "upload-time"}
    return kept


def _exactly(name: str, version: str) -> Requirement:
    """Pin this very version: `==2.3.0` would also admit `2.3.0+cpu` (PEP 440)."""
    operator = "==" if "+" in version else "==="
    return Requirement(text=f"{name}{operator}{version}")


def _indexed(distributions: Iterable[Distribution]) -> list[tuple[str, str]]:
    return [(each.name, each.version) for each in distributions if each.origin is None]


def _direct(distribution: Distribution, wheel: LocalWheel | None) -> LockedPackage | None:
    """The entry for what was installed from a URL; None where nobody else can reach it."""
    if wheel is not None:
        return _of_wheel(wheel, distribution.origin)
    origin = distribution.origin
    if origin is None or (origin.local and not origin.is_commit):
        return None
    if origin.subdirectory:
        where = {"subdirectory": origin.subdirectory}
    else:
        where = {}
    entry: dict[str, Any] = {"name": distribution.name, "version": distribution.version}
    url = placeholders(origin.url)
    if origin.vcs and origin.commit:
        return {
            **entry,
            "vcs": {"type": origin.vcs, "url": url, "commit-id": origin.commit, **where},
        }
    if origin.digest:
        algorithm, _, digest = origin.digest.partition(":")
        return {**entry, "archive": {"url": url, "hashes": {algorithm: digest}, **where}}
    return None


def _of_wheel(wheel: LocalWheel, origin: Origin | None) -> LockedPackage:
    """The entry for a wheel of the model; it remembers the commit that it was built from."""
    archive = {"path": wheel.path, "hashes": {"sha256": wheel.sha256}}
    entry = {"name": wheel.name, "version": wheel.version, "archive": archive}
    if origin is None or not origin.is_commit:
        return entry
    return {**entry, **pylock_toml.built_from(reference(origin))}
