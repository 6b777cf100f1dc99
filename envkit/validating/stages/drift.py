"""Will a model run in an existing environment? Nothing is built, and nothing of the model is run.

The environment's interpreter says what it is and what is installed. A lock or a list of
requirements may stand for an environment on another machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.tags import Tag, parse_tag
from packaging.version import InvalidVersion, Version

from envkit.formats.pylock import Package as LockedPackage
from envkit.installed.distribution import Distribution
from envkit.installed.distributions import InstalledDistributions
from envkit.interpreters.describe import describe
from envkit.interpreters.facts import InterpreterFacts
from envkit.validating.files.facts import ModelFacts, distribution_of
from envkit.validating.files.requirement_files import Line
from envkit.validating.options import StageOptions
from envkit.validating.stages import snapshot, targets
from envkit.validating.stages.snapshot import Package, Snapshot

_IMPLEMENTATION_TAGS = {"cpython": "cp", "pypy": "pp"}
_CONDA_VERSION = re.compile(r"=+\s*([0-9][^=\s]*)")
_ARCHITECTURE = re.compile(r"(x86_64|aarch64|arm64|i686|amd64|armv7l|ppc64le|s390x)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class NeededPackage:
    """A package that the model needs.

    spec: as the model writes it.
    is_required: by a requirement; else only other packages need it.
    """

    name: str
    spec: str
    is_required: bool
    version: str | None = None
    url: str | None = None
    line: Line | None = None

    def admits(self, version: str) -> bool:
        """Whether an installed version is admitted; without PEP 440, only the same text."""
        if self.version is not None:
            return _same_version(self.version, version)
        if self.line is None or self.line.parsed is None:
            return True
        try:
            return self.line.specifier.contains(Version(version), prereleases=True)
        except InvalidVersion:
            return False


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignBuild:
    """An installed package whose compiled files are for another interpreter. tags: of its wheel."""

    name: str
    version: str
    tags: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """What the model needs, and what the environment or lock holds, named as the user did."""

    environment_name: str
    environment: Snapshot
    needed: tuple[NeededPackage, ...]
    foreign_builds: tuple[ForeignBuild, ...] = ()

    @property
    def absent(self) -> Iterator[NeededPackage]:
        """The needed packages that are not in the environment."""
        for needed in self.needed:
            if needed.name not in self.environment.packages:
                yield needed

    @property
    def other_versions(self) -> Iterator[tuple[NeededPackage, Package]]:
        """The needed packages whose version in the environment the model does not admit."""
        for needed, package in self._pairs():
            if needed.url is not None or not package.version:
                continue
            # a list of requirements has `==1.0`
            version = package.version.removeprefix("===").removeprefix("==")
            if not needed.admits(version):
                yield needed, package

    @property
    def other_origins(self) -> Iterator[tuple[NeededPackage, Package]]:
        """The packages that the model takes from a URL and the environment from elsewhere."""
        for needed, package in self._pairs():
            if needed.url is None or not package.origin:
                continue
            if _without_fragment(needed.url) != _without_fragment(package.origin):
                yield needed, package

    def _pairs(self) -> Iterator[tuple[NeededPackage, Package]]:
        for needed in self.needed:
            if needed.name in self.environment.packages:
                yield needed, self.environment.packages[needed.name]


def compare(facts: ModelFacts, options: StageOptions) -> Drift:
    """Compare a model with `options.against`. Raises what `snapshot.take` raises."""
    environment = snapshot.take(options.against)
    if environment.source != "environment":
        machine = targets.this_machine(environment.python or facts.python or "3")
        return Drift(
            environment_name=options.against,
            environment=environment,
            needed=tuple(_needed_packages(facts, machine.markers)),
        )
    is_current = options.against == snapshot.CURRENT
    interpreter = describe(None if is_current else Path(options.against))
    needed = tuple(_needed_packages(facts, interpreter.markers))
    return Drift(
        environment_name=options.against,
        environment=environment,
        needed=needed,
        foreign_builds=tuple(_foreign_builds(interpreter, {package.name for package in needed})),
    )


def _needed_packages(facts: ModelFacts, markers: Mapping[str, str]) -> Iterable[NeededPackage]:
    """Requirements, what constraints or the lock add to them, then conda's packages."""
    packages: dict[str, NeededPackage] = {}
    lines = facts.requirements.lines
    constraints = {line.name: line for line in lines if line.constraint}
    for line in lines:
        if line.name is None or not _holds(line.marker, markers):
            continue
        if line.constraint and not _is_installed(line.name, facts):
            continue
        exact = line
        if line.version is None and line.url is None:
            exact = constraints.get(line.name, line)
        package = NeededPackage(
            name=line.name,
            spec=exact.shown,
            is_required=not line.constraint,
            version=exact.version,
            url=line.url,
            line=exact,
        )
        packages.setdefault(line.name, package)
    for locked in facts.locked_packages:
        if _holds(locked.marker, markers):
            packages.setdefault(locked.name, _locked_package(locked))
    for package in _conda_packages(facts):
        packages.setdefault(package.name, package)
    return packages.values()


def _is_installed(name: str, facts: ModelFacts) -> bool:
    """Whether a constrained package would be installed; the lock or the evidence knows best."""
    if facts.lock is not None:
        return name in facts.locked
    if facts.evidence is not None:
        return name in facts.captured
    return True


def _locked_package(locked: LockedPackage) -> NeededPackage:
    name = locked.name
    if locked.version is None:
        return NeededPackage(name=name, spec=name, is_required=False)
    version = str(locked.version)
    return NeededPackage(name=name, spec=f"{name}=={version}", is_required=False, version=version)


def _conda_packages(facts: ModelFacts) -> Iterator[NeededPackage]:
    """conda's Python packages; only the evidence tells them from its libraries."""
    for spec in facts.conda_packages:
        name = distribution_of(spec)
        version = _CONDA_VERSION.search(spec.rpartition("::")[2])
        if name in facts.captured or not facts.captured:
            yield NeededPackage(
                name=name, spec=spec, is_required=True, version=version[1] if version else None
            )


def _foreign_builds(interpreter: InterpreterFacts, names: set[str]) -> Iterator[ForeignBuild]:
    """Compare the tags of installed wheels with those that the interpreter can import."""
    for distribution in InstalledDistributions(interpreter.sys_path):
        if distribution.name not in names:
            continue
        tags = _wheel_tags(distribution)
        if tags and not any(can_import(tag, interpreter) for tag in tags):
            yield ForeignBuild(
                name=str(distribution.name),
                version=distribution.version,
                tags=tags,
            )


def _wheel_tags(distribution: Distribution) -> tuple[str, ...]:
    """The `Tag:` lines of its WHEEL file; none for what was not installed from a wheel."""
    try:
        text = (distribution.folder / "WHEEL").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    tags = []
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == "Tag":
            tags.append(value.strip())
    return tuple(tags)


def can_import(tags: str, interpreter: InterpreterFacts) -> bool:
    """Whether an interpreter can import a wheel with these tags (`cp38-abi3-linux_x86_64`)."""
    return any(_can_import(tag, interpreter) for tag in parse_tag(tags))


def _can_import(tag: Tag, interpreter: InterpreterFacts) -> bool:
    if tag.platform != "any" and not _same_platform(tag.platform, interpreter.platform):
        return False
    major, minor, *_ = interpreter.version.split(".")
    # pre-releases are written `3.15.0a1`, never in the first two parts
    running = f"{major}{minor}"
    if tag.abi == "none":
        if tag.platform == "any" or tag.interpreter.startswith("py"):
            return True
        return tag.interpreter.endswith(running)
    if tag.abi == "abi3":
        oldest = re.fullmatch(r"cp3(\d+)", tag.interpreter)
        return oldest is not None and int(oldest[1]) <= int(minor)
    implementation = interpreter.implementation
    short = _IMPLEMENTATION_TAGS.get(implementation, implementation)
    return tag.interpreter in (f"{short}{running}", f"py{running}", f"py{major}")


def _same_platform(wheel: str, interpreter: str) -> bool:
    """Compare system and machine; which libc a machine has is the loader's business."""
    platform = interpreter.replace("-", "_")
    for system in ("linux", "macosx", "win"):
        if system in wheel:
            if system not in platform:
                return False
            break
    architecture = _ARCHITECTURE.search(wheel)
    if architecture is None or "macosx" in wheel:
        return True
    return platform.endswith(architecture[1])


def _holds(marker: Marker | None, markers: Mapping[str, str]) -> bool:
    return marker is None or marker.evaluate({**markers, "extra": ""})


def _same_version(one: str, other: str) -> bool:
    """Compare two versions; one without a local part is any build of the other."""
    try:
        left, right = Version(one), Version(other)
    except InvalidVersion:
        return one == other
    if left.local is None:
        return left.public == right.public
    return left == right


def _without_fragment(url: str) -> str:
    return url.partition("#")[0].rstrip("/")
