"""What package indexes and conda channels have for a model, for each target."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from envkit.errors import BuildFailed, InvalidFile, ToolNotFound
from envkit.formats import pylock
from envkit.formats.credentials import without_credentials
from envkit.formats.pylock import Package
from envkit.formats.requirement import Requirement
from envkit.locking.direct_references import is_local_wheel
from envkit.locking.query import FoundFiles, MissingFiles, Query, Target
from envkit.locking.relock import LockInputs
from envkit.locking.uv import Uv
from envkit.models.environment_files import read_spec
from envkit.models.environment_spec import EnvironmentSpec
from envkit.validating.files.facts import ModelFacts
from envkit.validating.options import StageOptions
from envkit.validating.stages import audit, conda_solving, targets
from envkit.validating.stages.audit import Audit
from envkit.validating.stages.targets import Machine

TEMPORARY_FOLDER = re.compile(r"\benvkit-lock-\w+/")


@dataclass(frozen=True, kw_only=True, slots=True)
class Unavailable:
    """A pin, or a wheel of the model, that cannot be installed: there is no wheel for the machine.

    is_unknown: no index has the package at all.
    is_unreleased: no index has the version.
    """

    pin: str
    is_unknown: bool = False
    is_unreleased: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """The answer for one machine.

    invalid: why the model's files cannot be resolved at all.
    no_answer: why the indexes did not answer.
    unavailable: what cannot be installed, by name.
    conflict: why no versions fit together.
    packages: the closure, as tables of `pylock.toml`, with the files that the indexes offer.
    pinned: the names that the files pin.
    yanked: reasons by name.
    conda_problem: why conda's packages cannot be installed.
    conda_no_answer: why that was not checked.
    """

    machine: Machine
    invalid: InvalidFile | None = None
    no_answer: str = ""
    unavailable: Mapping[str, Unavailable] = field(default_factory=dict)
    conflict: str = ""
    packages: tuple[Package, ...] = ()
    pinned: frozenset[str] = frozenset()
    yanked: Mapping[str, str] = field(default_factory=dict)
    conda_problem: str = ""
    conda_no_answer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """All answers. audit: None when no audit was requested."""

    resolutions: tuple[Resolution, ...]
    audit: Audit | None = None


def resolve(facts: ModelFacts, options: StageOptions) -> Resolved:
    """Ask for each target.

    Raises `InvalidArgument` for an invalid target, `ToolNotFound` without pip-audit.
    """
    resolutions = _resolutions(facts, options)
    if options.audit:
        return Resolved(resolutions=resolutions, audit=audit.audit(facts, options))
    return Resolved(resolutions=resolutions)


def files_of(package: Package) -> Mapping[str, str]:
    """The files that an index has of a locked package: name → SHA-256."""
    files = pylock.indexed_files_of(package)
    return {file.filename: file.hashes.get("sha256", "") for file in files}


def fits(file: str, machine: Machine) -> bool:
    """Whether a file is a wheel that can be installed on a machine."""
    try:
        _, _, _, tags = parse_wheel_filename(file)
    except InvalidWheelFilename:
        return False
    return not tags.isdisjoint(machine.tags)


def applies(package: Package, machine: Machine) -> bool:
    """Whether a locked package is installed on a machine."""
    if package.marker is None:
        return True
    return package.marker.evaluate(dict(machine.markers))


def _resolutions(facts: ModelFacts, options: StageOptions) -> tuple[Resolution, ...]:
    python = facts.python or ""
    machines = [targets.parse(target, python) for target in options.targets]
    machines = machines or [targets.this_machine(python)]
    conda: EnvironmentSpec | None = None
    try:
        model = facts.usable_directory()
        inputs = LockInputs.of(read_spec(model), elsewhere=False)
        if facts.conda_packages:
            conda = read_spec(model, for_conda=True)
    except InvalidFile as error:
        return tuple(Resolution(machine=machine, invalid=error) for machine in machines)
    resolutions = []
    for machine in machines:
        options.say(f"Resolving {facts.path.name} for {machine.label}")
        resolution = _resolve_requirements(inputs, machine, facts)
        if conda is not None:
            resolution = _solve_conda(resolution, conda)
        resolutions.append(resolution)
    return tuple(resolutions)


def _resolve_requirements(inputs: LockInputs, machine: Machine, facts: ModelFacts) -> Resolution:
    target = Target(python=machine.python, platform=machine.uv_platform)
    names: set[str] = {package.name for package in inputs.direct}
    for requirement in (*inputs.requirements, *inputs.constraints):
        if requirement.name:
            names.add(requirement.name)
    resolution = Resolution(
        machine=machine,
        pinned=frozenset(names),
        unavailable=_unfitting_wheels(inputs.direct, machine),
    )
    has_own_wheels = any(map(is_local_wheel, inputs.direct))
    if not inputs.requirements and not has_own_wheels:
        return resolution
    answer = Uv().resolve(inputs.query(target))
    if isinstance(answer, MissingFiles):
        return _explain(resolution, answer, inputs, target)
    resolution = replace(resolution, packages=answer.packages, yanked=answer.yanked)
    return _with_rest_of_lock(resolution, inputs, target, facts)


def _unfitting_wheels(packages: Iterable[Package], machine: Machine) -> Mapping[str, Unavailable]:
    """The model's own wheels, and those of direct URLs, that are for other machines."""
    unfitting: dict[str, Unavailable] = {}
    for package in packages:
        if package.archive is None:
            continue
        file = pylock.file_name_of(package.archive)
        if file.endswith(".whl") and not fits(file, machine):
            unfitting[package.name] = Unavailable(pin=file)
    return unfitting


def _with_rest_of_lock(
    resolution: Resolution, inputs: LockInputs, target: Target, facts: ModelFacts
) -> Resolution:
    """Look up what the lock holds beyond the closure too, so that all hashes are compared."""
    known = {package.name for package in resolution.packages}
    pins = [
        Requirement(text=f"{package.name}=={package.version}")
        for package in facts.locked_packages
        if package.wheels
        and package.version is not None
        and package.name not in known
        and applies(package, resolution.machine)
    ]
    if not pins:
        return resolution
    query = Query(requirements=tuple(pins), target=target, options=inputs.options)
    answer = Uv().resolve(query)
    # what has no wheel there is reported for the lock's own files
    if isinstance(answer, MissingFiles):
        return resolution
    return replace(
        resolution,
        packages=(*resolution.packages, *answer.packages),
        yanked={**answer.yanked, **resolution.yanked},
    )


def _explain(
    resolution: Resolution, answer: MissingFiles, inputs: LockInputs, target: Target
) -> Resolution:
    """Find out which pins are unavailable; where none is, they exclude each other."""
    unavailable, failure = _unavailable_pins(inputs, target)
    if failure:
        reason = TEMPORARY_FOLDER.sub("", without_credentials(failure))
        return replace(resolution, no_answer=reason)
    if unavailable:
        return replace(resolution, unavailable={**resolution.unavailable, **unavailable})
    return replace(resolution, conflict=without_credentials(answer.output))


def _unavailable_pins(inputs: LockInputs, target: Target) -> tuple[Mapping[str, Unavailable], str]:
    """Give the unavailable pins by name, or why the resolver gave no answer at all."""
    unavailable: dict[str, Unavailable] = {}
    pins = _pins(inputs)
    while pins:
        requirements = tuple(pins.values())
        query = Query(requirements=requirements, target=target, options=inputs.options)
        answer = Uv().resolve(query)
        if isinstance(answer, FoundFiles):
            break
        missing = answer.missing & pins.keys()
        if not missing:
            return unavailable, answer.output or "no answer"
        for name in sorted(missing):
            unavailable[name] = Unavailable(
                pin=pins.pop(name).text,
                is_unknown=name in answer.unknown,
                is_unreleased=name in answer.unreleased,
            )
    return unavailable, ""


def _pins(inputs: LockInputs) -> dict[str, Requirement]:
    """The pinned requirements and constraints by name, without their hashes."""
    pins: dict[str, Requirement] = {}
    for requirement in (*inputs.requirements, *inputs.constraints):
        if requirement.name and "==" in requirement.text:
            pins[requirement.name] = Requirement(text=requirement.text)
    return pins


def _solve_conda(resolution: Resolution, spec: EnvironmentSpec) -> Resolution:
    machine = resolution.machine
    if not machine.conda_platform:
        problem = f"conda has no packages for {machine.label}"
        return replace(resolution, conda_problem=problem)
    try:
        conda_solving.solve(spec, machine)
    except ToolNotFound as error:
        return replace(resolution, conda_no_answer=" ".join(str(error).split()))
    except (BuildFailed, InvalidFile) as error:
        return replace(resolution, conda_problem=" ".join(str(error).split()))
    return resolution
