"""Will a model run in an environment that is there? What that holds against what the model asks for; nothing is built.

The environment is asked what it is and what is installed in it; nothing of the model is run. A lock
or a list of requirements may stand for an environment that is elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.tags import Tag, parse_tag
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envkit.formats import conda_yaml
from envkit.installed.distributions import Distribution, InstalledDistributions
from envkit.interpreters.describe import describe
from envkit.interpreters.facts import InterpreterFacts
from envkit.validating.files.declared import CONDA_NAMES
from envkit.validating.files.requirement_files import Line
from envkit.validating.stages import snapshot, targets
from envkit.validating.stages.snapshot import Package, Snapshot

if TYPE_CHECKING:
    from envkit.validating.files.facts import ModelFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A package that the model asks for. required: by a requirement, not only implied. spec: as the model writes it."""

    name: str
    spec: str
    required: bool
    version: str | None = None
    url: str | None = None
    line: Line | None = None

    def admits(self, version: str) -> bool:
        """Whether an installed version is what is asked for; what is not a version must be the same text."""
        if self.line is None or self.line.parsed is None or self.version is not None:
            return self.version is None or _same(self.version, version)
        try:
            return self.line.specifier.contains(Version(version), prereleases=True)
        except InvalidVersion:
            return False


@dataclass(frozen=True, kw_only=True, slots=True)
class Misbuilt:
    """A package whose compiled files are for another interpreter. tags: what its wheel was for."""

    name: str
    version: str
    tags: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """Both sides. there: the environment or lock. misbuilt: what is installed and cannot be imported there."""

    named: str
    there: Snapshot
    wanted: tuple[Wanted, ...]
    misbuilt: tuple[Misbuilt, ...] = ()

    @property
    def missing(self) -> Iterator[Wanted]:
        """What is not there."""
        return (each for each in self.wanted if each.name not in self.there.packages)

    @property
    def drifted(self) -> Iterator[tuple[Wanted, Package]]:
        """What is there in a version that is not asked for."""
        for each in self.wanted:
            found = self.there.packages.get(each.name)
            if (
                found is not None
                and found.version
                and each.url is None
                and not each.admits(_pinned(found.version))
            ):
                yield each, found

    @property
    def from_elsewhere(self) -> Iterator[tuple[Wanted, Package]]:
        """What is there from another place than the URL that the model names."""
        for each in self.wanted:
            found = self.there.packages.get(each.name)
            if (
                found is not None
                and each.url is not None
                and found.origin
                and not _same_place(each.url, found.origin)
            ):
                yield each, found


def fit(facts: ModelFacts) -> Fit:
    """Compare a model with `facts.demands.against`: `current`, an interpreter, its environment, a lock, requirements.

    Raises what `snapshot.take` raises.
    """
    named = facts.demands.against
    there = snapshot.take(named)
    markers: Mapping[str, str] | None = None
    misbuilt: tuple[Misbuilt, ...] = ()
    if there.source == "environment":
        interpreter = describe(None if named == snapshot.CURRENT else Path(named))
        markers = interpreter.markers
        misbuilt = tuple(_misbuilt(interpreter))
    wanted = tuple(
        _wanted(facts, markers or targets.here(there.python or facts.python or "3").markers)
    )
    names = {each.name for each in wanted}
    return Fit(
        named=named,
        there=there,
        wanted=wanted,
        misbuilt=tuple(each for each in misbuilt if each.name in names),
    )


def _wanted(facts: ModelFacts, markers: Mapping[str, str]) -> Iterator[Wanted]:
    """The closure: requirements, then what they imply, by constraints or else by the lock; then conda's packages."""
    found: dict[str, Wanted] = {}
    bounds = {each.name: each for each in facts.requirements.lines if each.constraint}
    for line in facts.requirements.lines:
        if line.name is None or not _holds(line.marker, markers):
            continue
        bound = bounds.get(line.name)
        if line.version is None and line.url is None and bound is not None:
            exact = bound
        else:
            exact = line
        if not line.constraint or _implied(line, facts):
            found.setdefault(
                line.name,
                Wanted(
                    name=line.name,
                    spec=exact.shown,
                    required=not line.constraint,
                    version=exact.version,
                    url=line.url,
                    line=exact,
                ),
            )
    for package in facts.lock.packages if facts.lock else ():
        name, version = canonicalize_name(str(package["name"])), package.get("version")
        if not _holds(Marker(package["marker"]) if "marker" in package else None, markers):
            continue
        spec = f"{name}=={version}" if version else name
        found.setdefault(name, Wanted(name=name, spec=spec, required=False, version=version))
    yield from found.values()
    yield from (each for each in _of_conda(facts) if each.name not in found)


def _implied(line: Line, facts: ModelFacts) -> bool:
    """Whether a constraint bounds what would be installed; a lock or the evidence knows better than the constraints."""
    if facts.lock is not None:
        return any(
            canonicalize_name(str(each["name"])) == line.name for each in facts.lock.packages
        )
    if facts.evidence is not None:
        return any(canonicalize_name(each.name) == line.name for each in facts.evidence.installed)
    return True


def _of_conda(facts: ModelFacts) -> Iterator[Wanted]:
    """conda's Python packages; its libraries have no distribution to be found by."""
    seen = {
        canonicalize_name(each.name)
        for each in (facts.evidence.installed if facts.evidence else ())
    }
    for spec in facts.conda.packages if facts.conda else ():
        own = conda_yaml.name_of(spec)
        name = canonicalize_name(CONDA_NAMES.get(own, own))
        version = re.search(r"=+\s*([0-9][^=\s]*)", spec.rpartition("::")[2])
        if name in seen or not seen:
            yield Wanted(
                name=name, spec=spec, required=True, version=version[1] if version else None
            )


def _misbuilt(interpreter: InterpreterFacts) -> Iterator[Misbuilt]:
    """Compare the tags of installed wheels with what the interpreter takes, whatever platform they are for."""
    tag = re.sub(r"\D", "", ".".join(interpreter.version.split(".")[:2]))
    for each in InstalledDistributions(interpreter.sys_path):
        told = tuple(_tags(each))
        if told and not any(
            _imports(one, tag, interpreter) for text in told for one in parse_tag(text)
        ):
            yield Misbuilt(name=str(each.name), version=each.version, tags=told)


def _tags(distribution: Distribution) -> Iterator[str]:
    """The `Tag:` lines of its WHEEL file; none for what was not installed from a wheel."""
    try:
        lines = (
            (distribution.folder / "WHEEL")
            .read_text(encoding="utf-8", errors="replace")
            .splitlines()
        )
    except OSError:
        return
    yield from (line.partition(":")[2].strip() for line in lines if line.startswith("Tag:"))


def _imports(tag: Tag, running: str, interpreter: InterpreterFacts) -> bool:
    """Whether an interpreter of a version can import such a wheel's files, and its platform is of that kind."""
    if tag.platform != "any" and not _same_platform(tag.platform, interpreter.platform):
        return False
    if tag.abi == "none":
        return (
            tag.interpreter.startswith("py")
            or tag.interpreter.endswith(running)
            or tag.platform == "any"
        )
    if tag.abi == "abi3":
        found = re.fullmatch(r"cp3(\d+)", tag.interpreter)
        return found is not None and int(found[1]) <= int(running[1:])
    short = {"cpython": "cp", "pypy": "pp"}.get(
        interpreter.implementation, interpreter.implementation
    )
    return tag.interpreter in (f"{short}{running}", f"py{running}", f"py{running[0]}")


def _same_platform(wheel: str, interpreter: str) -> bool:
    """By system and machine; which libc a machine has is its loader's business."""
    system = next((each for each in ("linux", "macosx", "win") if each in wheel), "")
    here = interpreter.replace("-", "_")
    if system and system not in here:
        return False
    machine = re.search(r"(x86_64|aarch64|arm64|i686|amd64|armv7l|ppc64le|s390x)$", wheel)
    return machine is None or here.endswith(machine[1]) or "macosx" in wheel


def _holds(marker: Marker | None, markers: Mapping[str, str]) -> bool:
    return marker is None or marker.evaluate({**markers, "extra": ""})


def _pinned(text: str) -> str:
    """A version, of `==1.0` too, as a list of requirements has it."""
    return text.removeprefix("===").removeprefix("==")


def _same(one: str, other: str) -> bool:
    try:
        left, right = Version(one), Version(other)
    except InvalidVersion:
        return one == other
    return left == right or (left.local is None and left.public == right.public)


def _same_place(url: str, origin: str) -> bool:
    return url.partition("#")[0].rstrip("/") == origin.partition("#")[0].rstrip("/")
