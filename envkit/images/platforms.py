"""Platforms of images: `linux/amd64`, `linux/arm64`, and the machine that their ELF files name."""

from __future__ import annotations

import platform as host
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from envkit.errors import InvalidArgument

_MACHINES = {
    # architecture as Go names it: (as Linux and Python name it, e_machine of the ELF specification)
    "386": ("i686", 3),
    "amd64": ("x86_64", 62),
    "arm64": ("aarch64", 183),
    "ppc64le": ("ppc64le", 21),
    "riscv64": ("riscv64", 243),
    "s390x": ("s390x", 22),
}
_SAME = {machine: name for name, (machine, _) in _MACHINES.items()}


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """What an image runs on. Only Linux: wheels of other systems are not in images."""

    architecture: str

    def __str__(self) -> str:
        return f"linux/{self.architecture}"

    @property
    def machine(self) -> str:
        """The machine as Linux and Python name it: `x86_64`."""
        return _MACHINES[self.architecture][0]

    @property
    def elf_machine(self) -> int:
        """The number in the header of its programs and libraries."""
        return _MACHINES[self.architecture][1]

    def as_json(self) -> dict[str, str]:
        """Give the `platform` of a descriptor."""
        return {"architecture": self.architecture, "os": "linux"}

    def matches(self, described: Mapping[str, Any]) -> bool:
        """Whether a descriptor's `platform`, or an image's configuration, names this platform."""
        architecture = described.get("architecture")
        return described.get("os") == "linux" and architecture == self.architecture


def parse(text: str) -> Platform:
    """Read `linux/amd64`, or `amd64`. Raises `InvalidArgument` for an unknown one."""
    system, slash, architecture = text.strip().lower().partition("/")
    if not slash:
        system, architecture = "linux", system
    architecture = _SAME.get(architecture, architecture)
    if system != "linux" or architecture.removesuffix("/v8") not in _MACHINES:
        known = ", ".join(f"linux/{name}" for name in _MACHINES)
        raise InvalidArgument(f"{text!r} is not a platform of images. Choose one of {known}.")
    return Platform(architecture.removesuffix("/v8"))


def parse_all(text: str) -> tuple[Platform, ...]:
    """Read platforms separated by commas, each once. Raises `InvalidArgument`."""
    return tuple(dict.fromkeys(parse(part) for part in text.split(",") if part.strip()))


def of_host() -> Platform:
    """Give the platform of this machine. Raises `InvalidArgument` where images cannot be built."""
    if sys.platform != "linux":
        raise InvalidArgument("Images are built on Linux only.")
    return parse(host.machine())


def of_elf_machine(number: int) -> str:
    """Name the machine of an ELF file: `linux/arm64`."""
    for architecture, (_, machine) in _MACHINES.items():
        if machine == number:
            return f"linux/{architecture}"
    return f"ELF machine {number}"
