"""The programs and libraries of an image: for which machine they are, and what they need."""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from envkit.environments.packing import elf
from envkit.errors import EnvkitError
from envkit.images.platforms import Platform, of_elf_machine

_LIBRARY = re.compile(r".*\.so(\.[\w.]+)?")
_PYTHON = re.compile(r"(usr/(local/)?)?bin/python\d\.\d+")
_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?")
_NOT_ESSENTIAL = re.compile(
    r".*/lib-dynload/(_tkinter|_curses\w*|readline|_gdbm|_dbm|nis|_crypt|ossaudiodev|_test\w+)\."
)
"""Modules of the standard library that servers do without, and slim systems, too."""
_OF_PYTHON = re.compile(r".*/bin/python[\d.]*|.*/lib/libpython[\w.]+|.*/lib-dynload/[^/]+")
_SHOWN = 5


class NativeLibraryMissing(EnvkitError):
    """An image lacks a library that the model uses."""

    exit_code = 5

    def __init__(self, missing: Mapping[str, str], packages: tuple[str, ...]) -> None:
        super().__init__(dict(missing), packages)
        self.missing, self.packages = dict(missing), packages

    def __str__(self) -> str:
        lines = [
            f"  {library}, which {file} needs"
            for library, file in sorted(self.missing.items())[:_SHOWN]
        ]
        remedy = "Name a base image that has them with `--base`"
        if self.packages:
            remedy += f"; in Debian they are in {', '.join(self.packages)}"
        return "The image lacks native libraries:\n" + "\n".join(lines) + f"\n{remedy}."


class WrongMachine(EnvkitError):
    """A file of an image is for another machine than its platform."""

    exit_code = 5

    def __init__(self, file: str, machine: str, platform: str) -> None:
        super().__init__(file, machine, platform)
        self.file, self.machine, self.platform = file, machine, platform

    def __str__(self) -> str:
        return (
            f"{self.file} is for {self.machine}, and the image is for {self.platform}. "
            "Lock the model for that platform first: `envkit lock --platform`."
        )


class OldLibc(EnvkitError):
    """The C library of a base image is older than what runs on it needs."""

    exit_code = 5

    def __init__(self, file: str, needed: str, present: str) -> None:
        super().__init__(file, needed, present)
        self.file, self.needed, self.present = file, needed, present

    def __str__(self) -> str:
        return (
            f"{self.file} needs glibc {self.needed}, and the base image has {self.present}. "
            "Name a newer base with `--base`, or an older Python with `--python`."
        )


@dataclass(kw_only=True, slots=True)
class Examined:
    """What was found in files.

    provides: names of libraries. needs: for each ELF file the libraries that it names. machines:
    for each machine a file. glibc: the highest version that a file needs, and that file. pythons:
    programs that are interpreters by their name.
    """

    provides: set[str] = field(default_factory=set)
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    machines: dict[int, str] = field(default_factory=dict)
    glibc_needed: tuple[int, int] = (0, 0)
    glibc_file: str = ""
    glibc_present: tuple[int, int] = (0, 0)
    pythons: set[str] = field(default_factory=set)

    def add_link(self, name: str) -> None:
        """Take a symbolic link."""
        if _PYTHON.fullmatch(name):
            self.pythons.add(name)
        if _LIBRARY.fullmatch(name):
            self.provides.add(posixpath.basename(name))

    def add(self, name: str, content: bytes) -> None:
        """Take a file. Raises `ToolNotFound` without pyelftools."""
        if content[:4] != elf.MAGIC:
            return
        self.add_link(name)
        little = content[5] == 1
        machine = int.from_bytes(content[18:20], "little" if little else "big")
        self.machines.setdefault(machine, name)
        if needed := elf.read(content).needed:
            self.needs[name] = needed
        if posixpath.basename(name) == "libc.so.6":
            self.glibc_present = max(_glibc_versions(content), default=(0, 0))
            return
        highest = max(_glibc_versions(content), default=(0, 0))
        if highest > self.glibc_needed:
            self.glibc_needed, self.glibc_file = highest, name

    def as_json(self) -> dict[str, Any]:
        """Give JSON values, to be kept with a layer."""
        return {
            "provides": sorted(self.provides),
            "needs": dict(sorted(self.needs.items())),
            "machines": {str(machine): name for machine, name in sorted(self.machines.items())},
            "pythons": sorted(self.pythons),
            "glibc": [list(self.glibc_needed), self.glibc_file, list(self.glibc_present)],
        }


def _glibc_versions(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield the versions that are named where versions of symbols are needed or defined."""
    from elftools.elf.elffile import ELFFile  # an optional library
    from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection

    for section in ELFFile(io.BytesIO(content)).iter_sections():
        if not isinstance(section, GNUVerDefSection | GNUVerNeedSection):
            continue
        for _, versions in section.iter_versions():
            for version in versions:
                if match := _GLIBC.fullmatch(version.name):
                    yield int(match[1]), int(match[2])


def check_machines(facts: Iterable[Mapping[str, Any]], platform: Platform) -> None:
    """Raise `WrongMachine` for a file of another platform."""
    for fact in facts:
        for machine, name in fact.get("machines", {}).items():
            if int(machine) != platform.elf_machine:
                raise WrongMachine(name, of_elf_machine(int(machine)), str(platform))


def check_glibc(facts: Iterable[Mapping[str, Any]]) -> None:
    """Raise `OldLibc` when the image's C library is older than a file needs."""
    glibc = [fact["glibc"] for fact in facts if "glibc" in fact]
    present = max((tuple(entry[2]) for entry in glibc), default=(0, 0))
    if present == (0, 0):
        return
    for needed, name, _ in glibc:
        if tuple(needed) > present:
            raise OldLibc(name, _dotted(needed), _dotted(present))


def missing(
    facts: Iterable[Mapping[str, Any]], is_used: Callable[[str], bool]
) -> tuple[dict[str, str], dict[str, str]]:
    """Give the libraries that the image lacks, each with a file that needs it.

    First those without which the image fails, then those of packages' files that the model does
    not use. is_used: whether the model uses a file of its packages.
    """
    gathered = list(facts)
    provided = {name for fact in gathered for name in fact.get("provides", ())}
    certain: dict[str, str] = {}
    perhaps: dict[str, str] = {}
    for fact in gathered:
        for file, libraries in fact.get("needs", {}).items():
            if _NOT_ESSENTIAL.match(file) is not None:
                continue
            is_certain = _OF_PYTHON.match(file) is not None or is_used(file)
            for library in set(libraries) - provided:
                (certain if is_certain else perhaps).setdefault(library, file)
    return certain, perhaps


def _dotted(version: Iterable[int]) -> str:
    return ".".join(str(part) for part in version)
