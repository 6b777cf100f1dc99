"""The plan of an environment: everything that an installer gets, and the key made from it.

A plan is an environment spec with the overrides worked in and local paths made absolute. Two plans
with the same key give the same environment, so two models with equal needs share one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Any

from envkit.environments import cache_key, local_files
from envkit.environments.env_type import EnvType
from envkit.errors import InvalidArgument, InvalidFile
from envkit.formats import requirements_txt
from envkit.formats.pylock_toml import LockFile
from envkit.formats.redaction import without_credentials
from envkit.formats.requirement import Requirement, is_conda_build_folder
from envkit.formats.requirement_lines import Option
from envkit.interpreters.interpreter import Interpreter
from envkit.models.environment_spec import EnvironmentSpec

# of environments; raise it when an older one must not be used any more
FORMAT = 2

# where the installer is another program than the manager
INSTALLERS = {"virtualenv": "pip", "conda": "uv"}

Digest = Callable[[Path], str]
"""Gives the digest of a file or folder; raises `OSError`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What to install.

    python: the version to install for. requirements, constraints: local paths in them are absolute
    `file:` URLs. lock: the model's lock; None when overrides make it void. build_constraints: pins
    for what builds source distributions; only used with `allow_source`. decisive: what decides the
    result, as text without paths and credentials; the key is its digest.
    """

    python: str
    requirements: tuple[Requirement, ...]
    constraints: tuple[Requirement, ...]
    options: tuple[Option, ...]
    build_constraints: tuple[Requirement, ...]
    lock: LockFile | None
    allow_source: bool
    decisive: tuple[tuple[str, tuple[str, ...]], ...]

    def key(self, manager: EnvType, interpreter: Interpreter, indexes: Sequence[str] = ()) -> str:
        """Give the digest of everything that decides the environment (see `facts`)."""
        return key_of(self.facts(manager, interpreter, indexes))

    def facts(
        self, manager: EnvType, interpreter: Interpreter, indexes: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Give everything that decides the environment, as JSON values.

        `indexes` are those that the machine is configured with (see `index_settings`). The version
        of the installer is not among the facts: every version installs the same from the same pins,
        and without pins a later day decides more than a later version.
        """
        return {
            "format": FORMAT,
            "manager": manager.value,
            "installer": INSTALLERS.get(manager.value, manager.value),
            "machine_indexes": list(indexes),
            "libc": list(cache_key.libc()),
            "interpreter": [
                interpreter.implementation,
                interpreter.version,
                interpreter.platform,
                interpreter.abi,
            ],
            **dict(self.decisive),
        }

    @property
    def lines_with_secrets(self) -> tuple[str, ...]:
        """The lines that may hold credentials."""
        requirements = map(str, (*self.requirements, *self.constraints))
        return (*requirements, *(option.unquoted for option in self.options))


def key_of(facts: Mapping[str, Any]) -> str:
    """Give the key that follows from the facts of a plan."""
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def of(
    spec: EnvironmentSpec,
    *,
    overrides: Sequence[str] = (),
    allow_source: bool = False,
    digest: Digest = local_files.digest,
) -> Plan:
    """Make the plan of a spec.

    Each override is one requirement; it takes the place of the requirements and constraints of the
    same name, or is added. Raises `InvalidArgument` for an override that is not a requirement,
    `InvalidFile` for a local file that is missing or, without `allow_source`, would have to be
    built.
    """
    if spec.lock is None:
        spec = replace(spec, requirements=(*spec.requirements, *spec.assumed))
    lock = spec.lock
    if overrides:
        spec = _overridden(spec, overrides)
        lock = None
    build_constraints: tuple[Requirement, ...] = ()
    if allow_source:
        build_constraints = tuple(tool for tool in spec.build_dependencies if "==" in tool.text)

    local = _LocalFiles(spec.directory, digest, allow_source=allow_source)
    requirements = [local.resolved(requirement) for requirement in spec.requirements]
    constraints = [local.resolved(constraint) for constraint in spec.constraints]
    options = [local.resolved_option(option) for option in spec.options]
    return Plan(
        python=spec.python,
        requirements=tuple(requirement for requirement, _ in requirements),
        constraints=tuple(constraint for constraint, _ in constraints),
        options=tuple(option for option, _ in options),
        build_constraints=build_constraints,
        lock=lock,
        allow_source=allow_source,
        decisive=(
            ("requirements", _sorted_set(decisive for _, decisive in requirements)),
            ("constraints", _sorted_set(decisive for _, decisive in constraints)),
            ("options", tuple(decisive for _, decisive in options)),
            ("build_constraints", tuple(sorted(map(str, build_constraints)))),
            ("lock", () if lock is None else (_lock_digest(lock),)),
            ("allow_source", ("yes",) if allow_source else ()),
        ),
    )


def _sorted_set(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts)))


@dataclass(frozen=True, slots=True)
class _LocalFiles:
    """The local files that requirements and options of one model name."""

    directory: Path
    digest: Digest
    _: KW_ONLY
    allow_source: bool

    def resolved(self, requirement: Requirement) -> tuple[Requirement, str]:
        """Make the path in a requirement absolute; give also what of it decides the environment."""
        absolute, path = local_files.rebased(requirement, self.directory)
        if path is None:
            return absolute, cache_key.requirement(absolute)
        if not path.exists() and is_conda_build_folder(path.as_posix()):
            raise InvalidFile(
                self.directory,
                str(requirement),
                f"{path} does not exist: it is a build folder of conda, left by `pip freeze`",
                f"Require a version instead: `{requirement.name or 'name'}==<version>`.",
            )
        if local_files.is_source(path) and not self.allow_source:
            raise InvalidFile(
                self.directory,
                str(requirement),
                "is source that must be built, and a build runs the code of the project",
                "Use a wheel instead, or allow the build with `--allow-source`.",
            )
        content = f"{path.name}#{_digest(path, self.digest)}"
        return absolute, str(absolute).replace(path.as_uri(), content)

    def resolved_option(self, option: Option) -> tuple[Option, str]:
        """Do the same for an option.

        The content of a folder inside the model decides; a folder elsewhere is an index, of which
        the address decides.
        """
        option = option.with_absolute_folder(self.directory)
        folder = local_files.path_of_url(option.value or "", self.directory)
        if folder is None or not folder.is_dir() or not folder.is_relative_to(self.directory):
            return option, without_credentials(option.unquoted)
        inside = folder.relative_to(self.directory)
        return option, f"{option.name} {inside}#{_digest(folder, self.digest)}"


def _digest(path: Path, digest: Digest) -> str:
    try:
        return digest(path)
    except OSError as error:
        raise InvalidFile(path, "", f"cannot be read ({error.strerror})") from error


def _lock_digest(lock: LockFile) -> str:
    try:
        text = lock.raw.decode("utf-8")
    except UnicodeDecodeError:
        return hashlib.sha256(lock.raw).hexdigest()
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return hashlib.sha256(cache_key.lock(lines).encode()).hexdigest()


def _overridden(spec: EnvironmentSpec, lines: Sequence[str]) -> EnvironmentSpec:
    """Apply overrides to requirements and constraints; pins of the lock become constraints."""
    overrides = dict(map(_override, lines))
    pins: tuple[Requirement, ...] = ()
    wheels: Mapping[str, str] = {}
    if spec.lock is not None:
        # 30 ms that only overrides of a locked model cost
        from envkit.environments import locked_packages

        pins = locked_packages.pins(spec.lock)
        wheels = locked_packages.wheels_of_commits(spec.lock)
    requirements = [
        _by_wheel(requirement, wheels)
        for requirement in spec.requirements
        if requirement.distribution not in overrides
    ]
    constraints = [
        _by_wheel(constraint, wheels)
        for constraint in (*spec.constraints, *pins)
        if constraint.name not in overrides
    ]
    return replace(
        spec,
        requirements=(*requirements, *overrides.values()),
        constraints=tuple(constraints),
    )


def _by_wheel(requirement: Requirement, wheels: Mapping[str, str]) -> Requirement:
    """Where a requirement names a commit, name the wheel of it that the model holds."""
    wheel = wheels.get(requirement.url or "")
    if requirement.url is None or wheel is None:
        return requirement
    return replace(requirement, text=requirement.text.replace(requirement.url, wheel, 1))


def _override(line: str) -> tuple[str, Requirement]:
    """Split an override into name and requirement; a wheel's path is relative to the cwd."""
    requirement = _parsed_override(line.strip())
    if requirement is not None and requirement.distribution is not None:
        if requirement.pep508 is not None:
            return requirement.distribution, requirement
        if (requirement.path or requirement.url or "").lower().endswith(".whl"):
            return requirement.distribution, local_files.rebased(requirement, Path.cwd())[0]
    raise InvalidArgument(
        f"The override {line!r} is neither a requirement (such as `numpy>=1.26`) "
        "nor the path of a wheel."
    )


def _parsed_override(text: str) -> Requirement | None:
    """Parse a line that is one requirement and nothing else: no comment, no installer option."""
    if not text.isprintable():
        return None
    try:
        entries = requirements_txt.parse(text)
    except InvalidFile:
        return None
    requirements = [entry for entry in entries if isinstance(entry, Requirement)]
    if len(requirements) != 1 or requirements[0].editable:
        return None
    is_whole_line = str(requirements[0]).split() == text.split()
    return requirements[0] if is_whole_line else None
