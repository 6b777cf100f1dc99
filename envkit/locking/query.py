"""What resolvers are asked for, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from envkit.formats.pylock import Package
from envkit.formats.requirement import Requirement
from envkit.formats.requirement_lines import Option

ANSWER_SECONDS = 120.0
"""The time limit of one query, all retries included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """For which machine to lock.

    python: version, `3.11` or `3.11.7`. executable: an interpreter that stands for the target, if
    there is one. platform: as uv names it, `linux`, `windows`, `aarch64-apple-darwin`; empty for
    the machine that runs envkit. universal: for all platforms. exclude_newer: ignore what was
    uploaded later than this date.
    """

    python: str
    executable: str = ""
    platform: str = ""
    universal: bool = False
    exclude_newer: str = ""

    @property
    def elsewhere(self) -> bool:
        """Whether it is for other machines than the one that runs envkit."""
        return bool(self.platform) or self.universal

    @property
    def requires_python(self) -> str:
        """The specifier of the Python versions that a lock for it holds for."""
        minor = ".".join(self.python.split(".")[:2])
        if self.universal:
            return f">={minor}"
        return f"=={minor}.*"

    @property
    def environments(self) -> tuple[str, ...]:
        """Markers of the environments that the lock is for; empty if the target names none."""
        system = next((value for word, value in _SYSTEMS.items() if word in self.platform), None)
        if system is None:
            return ()
        is_system = f"sys_platform == '{system}'"
        machine = next((name for name in _MACHINES if self.platform.startswith(name)), None)
        if machine is None:
            return (is_system,)
        marker_value = _MACHINES_IN_MARKERS.get((machine, system), machine)
        return (f"{is_system} and platform_machine == '{marker_value}'",)


_SYSTEMS = {
    "linux": "linux",
    "musl": "linux",
    "windows": "win32",
    "macos": "darwin",
    "darwin": "darwin",
}
_MACHINES = ("x86_64", "aarch64", "i686", "riscv64gc")
_MACHINES_IN_MARKERS = {
    ("aarch64", "darwin"): "arm64",
    ("x86_64", "win32"): "AMD64",
    ("aarch64", "win32"): "ARM64",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """Which files do the indexes have for these requirements?

    closure: also for the dependencies of the requirements. options: those that name indexes.
    """

    requirements: tuple[Requirement, ...]
    target: Target
    constraints: tuple[Requirement, ...] = ()
    closure: bool = False
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundFiles:
    """Files for all requirements. In the packages, local files are absolute `file:` URLs.

    yanked: packages that the index marks as yanked, by name, with its reason or an empty text.
    """

    packages: tuple[Package, ...]
    yanked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class MissingFiles:
    """Not all requirements have files.

    output: what the resolver printed. missing: normalized names of packages without files; empty
    when that is not the reason. Of these, as far as the resolver says so, unknown: those that no
    index has at all; unreleased: those that have no such version.
    """

    output: str
    missing: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    unreleased: frozenset[str] = frozenset()


class Resolver(Protocol):
    """A program that knows indexes. It runs no code of the packages: wheels only."""

    name: str

    def resolve(self, query: Query) -> FoundFiles | MissingFiles:
        """Answer within `ANSWER_SECONDS`.

        Raises `ToolNotFound`, and `InvalidArgument` for a target that it cannot lock for.
        """
