"""For which machines a model is to resolve: `linux-x86_64:3.11`, platform and Python, either of which may be left out.

A platform is named as uv does (`aarch64-apple-darwin`, `x86_64-manylinux_2_28`, `windows`), as
wheels do (`manylinux_2_28_x86_64`, `win_amd64`), as conda does (`linux-64`, `osx-arm64`), or in
plain words (`macos-arm64`).
"""

from __future__ import annotations

import platform as machine
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from packaging import tags

from envkit.errors import InvalidArgument

_SYSTEMS = {
    "linux": "linux", "manylinux2014": "linux", "musl": "musl", "alpine": "musl", "musllinux": "musl",
    "macos": "macos", "macosx": "macos", "osx": "macos", "darwin": "macos", "mac": "macos",
    "windows": "windows", "win": "windows",
}  # fmt: skip
_MACHINES = {
    "x86_64": "x86_64", "amd64": "x86_64", "x64": "x86_64", "64": "x86_64", "32": "i686", "i686": "i686", "x86": "i686",
    "aarch64": "aarch64", "arm64": "aarch64", "riscv64": "riscv64",
}  # fmt: skip
_UV = {
    "linux": "{}-unknown-linux-gnu",
    "musl": "{}-unknown-linux-musl",
    "macos": "{}-apple-darwin",
    "windows": "{}-pc-windows-msvc",
}
_SYSTEM = re.compile("|".join(sorted(_SYSTEMS, key=len, reverse=True)))
_MACHINE = re.compile(
    r"(?<![a-z0-9])(" + "|".join(sorted(_MACHINES, key=len, reverse=True)) + r")(?![a-z0-9])"
)
_LIBC = re.compile(r"(?:many|musl)linux_(\d+)_(\d+)")
_CONDA = {
    ("linux", "x86_64"): "linux-64", ("linux", "aarch64"): "linux-aarch64", ("macos", "x86_64"): "osx-64",
    ("macos", "aarch64"): "osx-arm64", ("windows", "x86_64"): "win-64", ("windows", "aarch64"): "win-arm64",
}  # fmt: skip
_MACOS = (13, 0)  # as uv has it
_GLIBC = (2, 28)  # what uv takes for Linux in general
_MUSL = (1, 2)
SYNTAX = (
    "as in `linux-x86_64:3.11`, `macos-arm64`, `windows`, `x86_64-manylinux_2_28:3.12` or `3.12`"
)


@dataclass(frozen=True)
class Place:
    """A kind of machine with a Python.

    system: `linux`, `musl`, `macos` or `windows`; machine: `x86_64`, `aarch64`, …; libc: the newest
    glibc or musl whose wheels it takes; python: `3.11` or `3.11.7`. here: this machine.
    """

    system: str
    machine: str
    python: str
    libc: tuple[int, int] = _GLIBC
    here: bool = False

    @property
    def label(self) -> str:
        """In words."""
        libc = f" ({'musl' if self.system == 'musl' else 'glibc'} {self.libc[0]}.{self.libc[1]})"
        if self.system in ("linux", "musl") and self.libc not in (_GLIBC, _MUSL):
            special = libc
        else:
            special = ""
        return f"{self.system}-{self.machine}{special}, Python {self.python}"

    @property
    def uv_platform(self) -> str:
        """As uv names it; empty for this machine."""
        if self.here:
            return ""
        if self.system == "linux" and self.libc != _GLIBC:
            return f"{self.machine}-manylinux_{self.libc[0]}_{self.libc[1]}"
        return _UV[self.system].format(self.machine)

    @property
    def conda_platform(self) -> str:
        """As conda names it; empty where conda has none."""
        return _CONDA.get((self.system, self.machine), "")

    @cached_property
    def markers(self) -> Mapping[str, str]:
        """What environment markers (PEP 508) are there."""
        systems = {"linux": "linux", "musl": "linux", "macos": "darwin", "windows": "win32"}
        names = {
            ("macos", "aarch64"): "arm64",
            ("windows", "x86_64"): "AMD64",
            ("windows", "aarch64"): "ARM64",
        }
        if self.python.count(".") > 1:
            full = self.python
        else:
            full = f"{self.python}.0"
        system = systems[self.system]
        return {
            "sys_platform": system,
            "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system],
            "os_name": "nt" if system == "win32" else "posix",
            "platform_machine": names.get((self.system, self.machine), self.machine),
            "python_version": ".".join(full.split(".")[:2]),
            "python_full_version": full,
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "implementation_version": full,
            "extra": "",
        }

    @cached_property
    def tags(self) -> frozenset[tags.Tag]:
        """The tags of the wheels that can be installed."""
        major, minor, *_ = (*self.python.split("."), "0")
        version, platforms = (int(major), int(minor)), list(self._platforms())
        cpython = tags.cpython_tags(version, platforms=platforms)
        return frozenset((*cpython, *tags.compatible_tags(version, f"cp{major}{minor}", platforms)))

    def _platforms(self) -> Iterator[str]:
        if self.here:
            yield from tags.platform_tags()
        elif self.system == "macos":
            yield from tags.mac_platforms(
                _MACOS, "arm64" if self.machine == "aarch64" else self.machine
            )
        elif self.system == "windows":
            yield {"x86_64": "win_amd64", "aarch64": "win_arm64", "i686": "win32"}.get(
                self.machine, ""
            )
        else:
            yield from self._linux()

    def _linux(self) -> Iterator[str]:
        name = "musllinux" if self.system == "musl" else "manylinux"
        for minor in range(self.libc[1], -1, -1):
            yield f"{name}_{self.libc[0]}_{minor}_{self.machine}"
        if name == "manylinux":
            yield from (
                f"{old}_{self.machine}" for old in ("manylinux2014", "manylinux2010", "manylinux1")
            )
        yield f"linux_{self.machine}"


def parse(word: str, python: str) -> Place:
    """Read a target; `python` is the version where it names none. Raises `InvalidArgument`."""
    platform, parted, version = word.strip().rpartition(":")
    if not platform and not parted:
        platform, version = ("", version) if _is_version(version) else (version, "")
    if (version or parted or not platform) and not _is_version(version):
        raise InvalidArgument(
            f"The target '{word}' names no Python that there could be: write it {SYNTAX}."
        )
    wanted = version or python
    if not platform or platform in ("current", "here"):
        return here(wanted)
    return _of_platform(platform.lower(), wanted, word)


def here(python: str) -> Place:
    """This machine."""
    system = {"linux": "linux", "darwin": "macos", "win32": "windows"}.get(sys.platform, "linux")
    return Place(
        system=system,
        machine=_MACHINES.get(machine.machine().lower(), machine.machine()),
        python=python,
        here=True,
    )


def _is_version(word: str) -> bool:
    return re.fullmatch(r"3\.\d+(\.\d+)?((a|b|rc)\d+)?", word) is not None


def _of_platform(name: str, python: str, word: str) -> Place:
    name = {"win32": "win-32", "manylinux2014": "manylinux2014_x86_64"}.get(name, name)
    system, processor = (
        _SYSTEM.search(name),
        _MACHINE.search(name.replace("_", "-").replace("x86-64", "x86_64")),
    )
    rest = re.sub(r"unknown|apple|pc|msvc|gnu|universal2", "", _LIBC.sub("", name))
    rest = _SYSTEM.sub("", rest)
    rest = _MACHINE.sub(
        "", re.sub(r"^_\d+_\d+", "", rest).replace("_", "-").replace("x86-64", "x86_64")
    )
    if system is None or rest.strip("-") or (processor is None and name not in _SYSTEMS):
        raise InvalidArgument(f"'{word}' names no target: write platform and Python {SYNTAX}.")
    found = "musl" if "musl" in name else _SYSTEMS[system[0]]
    libc = _LIBC.search(name)
    if libc:
        oldest = (int(libc[1]), int(libc[2]))
    elif "2014" in name:
        oldest = (2, 17)
    else:
        oldest = None
    default = "aarch64" if found == "macos" else "x86_64"
    return Place(
        system=found,
        machine=_MACHINES[processor[1]] if processor else default,
        python=python,
        libc=oldest or (_MUSL if found == "musl" else _GLIBC),
    )
