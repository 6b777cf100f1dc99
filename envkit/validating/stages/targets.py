"""Machines to resolve for: `linux-x86_64:3.11`, a platform, a Python, or both.

A platform is named as uv does (`aarch64-apple-darwin`, `x86_64-manylinux_2_28`, `windows`), as
wheels do (`manylinux_2_28_x86_64`, `win_amd64`), as conda does (`linux-64`, `osx-arm64`), or in
plain words (`macos-arm64`).
"""

from __future__ import annotations

import platform as running
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from packaging import tags

from envkit.errors import InvalidArgument

_SYSTEMS = {
    "linux": "linux",
    "manylinux2014": "linux",
    "musl": "musl",
    "alpine": "musl",
    "musllinux": "musl",
    "macos": "macos",
    "macosx": "macos",
    "osx": "macos",
    "darwin": "macos",
    "mac": "macos",
    "windows": "windows",
    "win": "windows",
}
_ARCHITECTURES = {
    "x86_64": "x86_64",
    "amd64": "x86_64",
    "x64": "x86_64",
    "64": "x86_64",
    "32": "i686",
    "i686": "i686",
    "x86": "i686",
    "aarch64": "aarch64",
    "arm64": "aarch64",
    "riscv64": "riscv64",
}
_UV_PLATFORMS = {
    "linux": "{}-unknown-linux-gnu",
    "musl": "{}-unknown-linux-musl",
    "macos": "{}-apple-darwin",
    "windows": "{}-pc-windows-msvc",
}
_CONDA_PLATFORMS = {
    ("linux", "x86_64"): "linux-64",
    ("linux", "aarch64"): "linux-aarch64",
    ("macos", "x86_64"): "osx-64",
    ("macos", "aarch64"): "osx-arm64",
    ("windows", "x86_64"): "win-64",
    ("windows", "aarch64"): "win-arm64",
}
_SYS_PLATFORMS = {"linux": "linux", "musl": "linux", "macos": "darwin", "windows": "win32"}
_PLATFORM_SYSTEMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}
_PLATFORM_MACHINES = {
    ("macos", "aarch64"): "arm64",
    ("windows", "x86_64"): "AMD64",
    ("windows", "aarch64"): "ARM64",
}
_WINDOWS_TAGS = {"x86_64": "win_amd64", "aarch64": "win_arm64", "i686": "win32"}


def _any_of(words: Mapping[str, str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_SYSTEM = re.compile(_any_of(_SYSTEMS))
_ARCHITECTURE = re.compile(rf"(?<![a-z0-9])({_any_of(_ARCHITECTURES)})(?![a-z0-9])")
_LIBC = re.compile(r"(?:many|musl)linux_(\d+)_(\d+)")
_LEADING_LIBC = re.compile(r"^_\d+_\d+")
_FILLER = re.compile(r"unknown|apple|pc|msvc|gnu|universal2")
_VERSION = re.compile(r"3\.\d+(\.\d+)?((a|b|rc)\d+)?")
# where a target does not name them: as uv takes them
_MACOS = (13, 0)
_GLIBC = (2, 28)
_MUSL = (1, 2)
_MANYLINUX2014 = (2, 17)
SYNTAX = (
    "as in `linux-x86_64:3.11`, `macos-arm64`, `windows`, `x86_64-manylinux_2_28:3.12` or `3.12`"
)


@dataclass(frozen=True)
class Machine:
    """A kind of machine with a Python.

    system: `linux`, `musl`, `macos` or `windows`.
    architecture: `x86_64`, `aarch64`, … python: `3.11` or `3.11.7`.
    libc: the newest glibc or musl whose wheels it takes.
    is_this: the local machine.
    """

    system: str
    architecture: str
    python: str
    libc: tuple[int, int] = _GLIBC
    is_this: bool = False

    @property
    def label(self) -> str:
        """In words."""
        platform = f"{self.system}-{self.architecture}"
        if self.system in ("linux", "musl") and self.libc not in (_GLIBC, _MUSL):
            name = "musl" if self.system == "musl" else "glibc"
            major, minor = self.libc
            platform += f" ({name} {major}.{minor})"
        return f"{platform}, Python {self.python}"

    @property
    def uv_platform(self) -> str:
        """As uv names it; empty for the local machine."""
        if self.is_this:
            return ""
        if self.system == "linux" and self.libc != _GLIBC:
            major, minor = self.libc
            return f"{self.architecture}-manylinux_{major}_{minor}"
        return _UV_PLATFORMS[self.system].format(self.architecture)

    @property
    def conda_platform(self) -> str:
        """As conda names it; empty where conda has none."""
        return _CONDA_PLATFORMS.get((self.system, self.architecture), "")

    @cached_property
    def markers(self) -> Mapping[str, str]:
        """The values of environment markers (PEP 508)."""
        full_version = self.python
        if full_version.count(".") == 1:
            full_version += ".0"
        sys_platform = _SYS_PLATFORMS[self.system]
        kind = (self.system, self.architecture)
        machine = _PLATFORM_MACHINES.get(kind, self.architecture)
        return {
            "sys_platform": sys_platform,
            "platform_system": _PLATFORM_SYSTEMS[sys_platform],
            "os_name": "nt" if sys_platform == "win32" else "posix",
            "platform_machine": machine,
            "python_version": ".".join(full_version.split(".")[:2]),
            "python_full_version": full_version,
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "implementation_version": full_version,
            "extra": "",
        }

    @cached_property
    def tags(self) -> frozenset[tags.Tag]:
        """The tags of the wheels that can be installed."""
        major, minor, *_ = (*self.python.split("."), "0")
        version = (int(major), int(minor))
        platforms = list(self._platform_tags())
        cpython = tags.cpython_tags(version, platforms=platforms)
        compatible = tags.compatible_tags(version, f"cp{major}{minor}", platforms)
        return frozenset((*cpython, *compatible))

    def _platform_tags(self) -> Iterator[str]:
        if self.is_this:
            yield from tags.platform_tags()
        elif self.system == "macos":
            architecture = "arm64" if self.architecture == "aarch64" else self.architecture
            yield from tags.mac_platforms(_MACOS, architecture)
        elif self.system == "windows":
            yield _WINDOWS_TAGS.get(self.architecture, "")
        else:
            yield from self._linux_tags()

    def _linux_tags(self) -> Iterator[str]:
        name = "musllinux" if self.system == "musl" else "manylinux"
        major, newest = self.libc
        for minor in range(newest, -1, -1):
            yield f"{name}_{major}_{minor}_{self.architecture}"
        if name == "manylinux":
            for legacy in ("manylinux2014", "manylinux2010", "manylinux1"):
                yield f"{legacy}_{self.architecture}"
        yield f"linux_{self.architecture}"


def parse(target: str, python: str) -> Machine:
    """Read a target; `python` is the version where it names none. Raises `InvalidArgument`."""
    platform, colon, version = target.strip().rpartition(":")
    if not colon and not _VERSION.fullmatch(version):
        platform, version = version, ""
    # without a version there must be a platform, and no colon
    if not _VERSION.fullmatch(version) and (version or colon or not platform):
        raise InvalidArgument(f"The target '{target}' names no valid Python: write it {SYNTAX}.")
    if not platform or platform in ("current", "here"):
        return this_machine(version or python)
    return _parse_platform(platform.lower(), version or python, target)


def this_machine(python: str) -> Machine:
    """The local machine, with a Python."""
    systems = {"linux": "linux", "darwin": "macos", "win32": "windows"}
    architecture = running.machine()
    return Machine(
        system=systems.get(sys.platform, "linux"),
        architecture=_ARCHITECTURES.get(architecture.lower(), architecture),
        python=python,
        is_this=True,
    )


def _parse_platform(platform: str, python: str, target: str) -> Machine:
    name = {"win32": "win-32", "manylinux2014": "manylinux2014_x86_64"}.get(platform, platform)
    system = _SYSTEM.search(name)
    architecture = _ARCHITECTURE.search(_dashed(name))
    is_known = architecture is not None or name in _SYSTEMS
    if system is None or not is_known or _unknown_part(name):
        raise InvalidArgument(f"'{target}' is not a target: write platform and Python {SYNTAX}.")
    kind = "musl" if "musl" in name else _SYSTEMS[system[0]]
    default = "aarch64" if kind == "macos" else "x86_64"
    return Machine(
        system=kind,
        architecture=_ARCHITECTURES[architecture[1]] if architecture else default,
        python=python,
        libc=_libc(name, kind),
    )


def _unknown_part(name: str) -> str:
    """What is left of a platform's name without the parts that are known."""
    rest = name
    for known in (_LIBC, _FILLER, _SYSTEM, _LEADING_LIBC):
        rest = known.sub("", rest)
    return _ARCHITECTURE.sub("", _dashed(rest)).strip("-")


def _dashed(name: str) -> str:
    return name.replace("_", "-").replace("x86-64", "x86_64")


def _libc(name: str, kind: str) -> tuple[int, int]:
    named = _LIBC.search(name)
    if named:
        return int(named[1]), int(named[2])
    if "2014" in name:
        return _MANYLINUX2014
    return _MUSL if kind == "musl" else _GLIBC
