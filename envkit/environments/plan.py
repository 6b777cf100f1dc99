"""The plan of an environment: all that an installer is told, and the key that follows from it.

A plan is an environment spec with the overrides worked in and local paths made absolute. Two plans
with the same key give the same environment, so two models with equal needs share one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from envkit.environments import cache_key as decisive
from envkit.environments import local_files
from envkit.environments.env_type import EnvType
from envkit.errors import InvalidArgument, InvalidFile
from envkit.formats.redaction import without_credentials
from envkit.interpreters.discovery import Interpreter
from envkit.models.environment_spec import EnvironmentSpec

FORMAT = 2  # of environments; raise it when an older one must not be used any more

INSTALLERS = {"virtualenv": "pip", "conda": "uv"}  # where it is another program than the manager

Digest = Callable[[Path], str]
"""Gives the digest of a file or folder; raises `OSError`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """An installer's option that holds for all requirements: `--index-url`, with its value or an empty text."""

    name: str
    value: str = ""

    @property
    def line(self) -> str:
        """As a line of a requirements file."""
        return f"{self.name} {self.value}".strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What to install.

    python: the wanted version. requirements, constraints: lines with absolute paths. lock: the
    model's lock; None when overrides make it void. build_constraints: pins for what builds source
    distributions; only used with `allow_source`. decisive: what decides the result, in words
    without paths and credentials; the key is its digest.
    """

    python: str
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    options: tuple[Option, ...]
    build_constraints: tuple[str, ...]
    lock: Path | None
    allow_source: bool
    decisive: tuple[tuple[str, tuple[str, ...]], ...]

    def key(self, manager: EnvType, interpreter: Interpreter, indexes: Sequence[str] = ()) -> str:
        """Give the digest of everything that decides the environment (see `facts`)."""
        return key_of(self.facts(manager, interpreter, indexes))

    def facts(
        self, manager: EnvType, interpreter: Interpreter, indexes: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Give everything that decides the environment, as JSON values.

        `indexes` are those of the machine (see `index_settings`). No version of an installer is
        among it: each installs the same from the same pins, and where there are none a later day
        decides more than a later version.
        """
        return {
            "format": FORMAT,
            "manager": manager.value,
            "installer": INSTALLERS.get(manager.value, manager.value),
            "machine_indexes": list(indexes),
            "libc": list(decisive.libc()),
            "interpreter": [
                interpreter.implementation,
                interpreter.version,
                interpreter.platform,
                interpreter.abi,
            ],
            **dict(self.decisive),
        }

    @property
    def secretive(self) -> tuple[str, ...]:
        """The lines that may hold credentials."""
        return (*self.requirements, *self.constraints, *(option.value for option in self.options))


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
    same name, or is added. Raises `InvalidArgument` for one that is no requirement, `InvalidFile`
    for a local file that is not there or, without `allow_source`, would have to be built.
    """
    if spec.lock is None:
        spec = replace(spec, requirements=(*spec.requirements, *spec.assumed))
    requirements, constraints = (
        _overridden(spec, overrides) if overrides else (spec.requirements, spec.constraints)
    )
    lines = [
        _Line.of(line, spec.directory, digest, allow_source=allow_source) for line in requirements
    ]
    bounds = [
        _Line.of(line, spec.directory, digest, allow_source=allow_source) for line in constraints
    ]
    options = tuple(_option(line, spec.directory) for line in spec.options)
    if spec.lock is not None and not overrides:
        lock = spec.lock
    else:
        lock = None
    if allow_source:
        build_constraints = tuple(each for each in spec.build_dependencies if "==" in each)
    else:
        build_constraints = ()
    return Plan(
        python=spec.python,
        requirements=tuple(line.text for line in lines),
        constraints=tuple(line.text for line in bounds),
        options=options,
        build_constraints=build_constraints,
        lock=lock,
        allow_source=allow_source,
        decisive=(
            ("requirements", tuple(sorted({line.decisive for line in lines}))),
            ("constraints", tuple(sorted({line.decisive for line in bounds}))),
            (
                "options",
                tuple(_decisive_option(option, spec.directory, digest) for option in options),
            ),
            ("build_constraints", tuple(sorted(build_constraints))),
            ("lock", (_lock_digest(lock),) if lock else ()),
            ("allow_source", ("yes",) if allow_source else ()),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    decisive: str

    @classmethod
    def of(cls, line: str, directory: Path, digest: Digest, *, allow_source: bool) -> _Line:
        one = " ".join(line.split("\n")).strip()
        text, path = local_files.rebased(one, directory)
        if path is None:
            return cls(text, decisive.requirement(text))
        if local_files.is_source(path) and not allow_source:
            raise InvalidFile(
                directory, one, "is source that would have to be built, which runs its code",
                "Give a wheel in its place, or let it be built with `--allow-source`.",
            )  # fmt: skip
        place = path.as_uri()
        return cls(text, text.replace(place, f"{path.name}#{_digest(path, digest)}"))


def _lock_digest(path: Path) -> str:
    try:
        text = decisive.lock(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return _digest(path, local_files.digest)
    except OSError as error:
        raise InvalidFile(path, "", f"cannot be read ({error.strerror})") from error
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(path: Path, digest: Digest) -> str:
    try:
        return digest(path)
    except OSError as error:
        raise InvalidFile(path, "", f"cannot be read ({error.strerror})") from error


_FOLDERS = {"--find-links", "-f"}
_LONG = {"-i": "--index-url", "-f": "--find-links"}


def _option(line: str, directory: Path) -> Option:
    name, _, value = re.sub(r"[\s=]+", " ", line.strip(), count=1).partition(" ")
    if name in _FOLDERS and "://" not in value:
        # a path with spaces or `#` is understood by no installer
        value = (directory / value).as_uri()
    return Option(name=_LONG.get(name, name), value=value)


def _decisive_option(option: Option, directory: Path, digest: Digest) -> str:
    """What lies inside the model is told by its content; what lies outside is an index, told by its address."""
    folder = local_files.path_of_url(option.value, directory)
    if folder is not None and folder.is_dir() and folder.is_relative_to(directory):
        return f"{option.name} {folder.relative_to(directory)}#{_digest(folder, digest)}"
    return without_credentials(option.line)


def _overridden(
    spec: EnvironmentSpec, overrides: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    given = dict(_override(line) for line in overrides)
    locked: tuple[str, ...] = ()
    wheels: dict[str, str] = {}
    if spec.lock is not None:
        from envkit.environments import pylock

        lock = pylock.read(spec.lock)
        locked = lock.pins
        wheels = {each.built_from: each.location for each in lock.packages if each.built_from}
    kept = tuple(
        line for line in spec.requirements if (_name(line) or _wheel_name(line)) not in given
    )
    bounds = tuple(
        dict.fromkeys(line for line in (*spec.constraints, *locked) if _name(line) not in given)
    )
    return (*(_by_wheel(each, wheels) for each in kept), *given.values()), tuple(
        _by_wheel(each, wheels) for each in bounds
    )


def _by_wheel(line: str, wheels: Mapping[str, str]) -> str:
    """A commit's line with the wheel that the model brings of it in the place of its address."""
    name, at, url = line.partition("@")
    wheel = wheels.get(url.partition(" ;")[0].strip())
    if wheel is None:
        return line
    return f"{name.strip()} {at} {wheel}{url[len(url.partition(' ;')[0]) :]}"


def _override(line: str) -> tuple[str, str]:
    """Give name and line of an override: a requirement, or the path of a wheel (from the working directory)."""
    text = line.strip()
    if text.isprintable() and not text.startswith("-"):
        if (name := _name(text)) is not None:
            return name, text
        if text.lower().endswith(".whl"):
            return _wheel_name(text), local_files.rebased(text, Path.cwd())[0]
    raise InvalidArgument(
        f"The override {line!r} is no requirement (as `numpy>=1.26`) and no path of a wheel."
    )


def _wheel_name(line: str) -> str:
    """Give the normalized name of a path's last part, as wheels bear it; extras and markers do no harm."""
    from packaging.utils import canonicalize_name  # 13 ms that only overrides cost

    return canonicalize_name(re.split(r"[ \[;]", line)[0].rpartition("/")[2].partition("-")[0])


def _name(line: str) -> str | None:
    """Give the normalized name of a requirement; None for a path and the like."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    try:
        return canonicalize_name(Requirement(re.split(r"\s+--hash", line)[0]).name)
    except InvalidRequirement:
        return None
