"""What resolvers are asked and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from envkit.formats.pylock_toml import LockedPackage
from envkit.formats.requirement import Requirement
from envkit.formats.requirement_lines import Option

ANSWER_SECONDS = 120.0
"""What one question may take, all retries included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """For which machine to lock.

    python: version, `3.11` or `3.11.7`. executable: an interpreter that stands for the target, if
    there is one. platform: as uv names it, `linux`, `windows`, `aarch64-apple-darwin`; empty for
    this machine. universal: for all platforms. exclude_newer: leave out what was uploaded later
    than this date.
    """

    python: str
    executable: str = ""
    platform: str = ""
    universal: bool = False
    exclude_newer: str = ""

    @property
    def elsewhere(self) -> bool:
        """Whether it is for other machines than this one."""
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
        """The markers of the environments that a lock for it holds for; none where the target does not say."""
        system = next((value for word, value in _SYSTEMS.items() if word in self.platform), None)
        if system is None:
            return ()
        machine = next((each for each in _MACHINES if self.platform.startswith(each)), None)
        if machine is None:
            return (f"sys_platform == '{system}'",)
        names = {
            ("aarch64", "darwin"): "arm64",
            ("x86_64", "win32"): "AMD64",
            ("aarch64", "win32"): "ARM64",
        }
        return (
            f"sys_platform == '{system}' and platform_machine == '{names.get((machine, system), machine)}'",
        )


_SYSTEMS = {
    "linux": "linux",
    "musl": "linux",
    "windows": "win32",
    "macos": "darwin",
    "darwin": "darwin",
}
_MACHINES = ("x86_64", "aarch64", "i686", "riscv64gc")


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """Which files are there for these requirements?

    closure: also for what they require. options: of indexes.
    """

    requirements: tuple[Requirement, ...]
    target: Target
    constraints: tuple[Requirement, ...] = ()
    closure: bool = False
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """All of them, as tables of `pylock.toml`; paths are absolute `file:` URLs.

    yanked: of which the index says that they should not be used any more, by name, with its reason
    or nothing.
    """

    packages: tuple[LockedPackage, ...]
    yanked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class NotFound:
    """Not all of them.

    missing: normalised names that cannot be had; empty when that is not the reason it gave. Of
    these, as far as the resolver says so, unknown: those that no index has at all; unreleased:
    those that have no such version.
    """

    said: str
    missing: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    unreleased: frozenset[str] = frozenset()


class Resolver(Protocol):
    """A program that knows indexes. It runs no code of the packages: wheels only."""

    name: str

    def ask(self, question: Question) -> Found | NotFound:
        """Answer within `ANSWER_SECONDS`. Raises `ToolNotFound`, `InvalidArgument` for a target it cannot lock for."""
