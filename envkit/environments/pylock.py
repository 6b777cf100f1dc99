"""What reproduction needs to know of a `pylock.toml` (PEP 751): can it be installed as it is, and does it fit?

https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.errors import InvalidFile

_PYPI = re.compile(r"https://pypi\.org(/simple)?/?")


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedPackage:
    """One package of a lock: what must be installed, and the digests its file may have.

    source: `index`, `file` (one archive by URL or path), or what no digest can hold (`vcs`, `directory`,
    `nothing`).
    location: the URL or absolute path of a `file`. hashes: `sha256:…`. marker, index: as the lock says, or
    empty.
    """

    name: str
    version: str
    source: str
    location: str = ""
    hashes: tuple[str, ...] = ()
    marker: str = ""
    index: str = ""

    @property
    def requirement(self) -> str:
        """As a line of a requirements file, with hashes."""
        what = f"{self.name} @ {self.location}" if self.source == "file" else f"{self.name}=={self.version}"
        marker = f" ; {self.marker}" if self.marker else ""
        return what + marker + "".join(f" --hash={each}" for each in self.hashes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """The packages of one lock file."""

    path: Path
    packages: tuple[LockedPackage, ...]

    @property
    def obstacle(self) -> str:
        """Why the lock alone cannot rebuild the environment with every file checked; empty when it can."""
        for package in self.packages:
            if package.source not in {"index", "file"}:
                return f"{package.name} comes from {_WORDS[package.source]}"
            if not package.hashes:
                return f"{package.name} has no hash"
        return ""

    @property
    def pins(self) -> tuple[str, ...]:
        """`name==version` for every package that has a version."""
        return tuple(f"{each.name}=={each.version}" for each in self.packages if each.version)

    @property
    def indexes(self) -> tuple[str, ...]:
        """The indexes other than PyPI that the packages came from."""
        found = {each.index: None for each in self.packages if each.index and not _PYPI.fullmatch(each.index)}
        return tuple(found)


_WORDS = {"vcs": "version control", "directory": "a source folder", "nothing": "nowhere that the lock names"}


def read(path: Path) -> Lock:
    """Read a lock file. Raises `InvalidFile`, naming the key, when it is no lock of version 1."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidFile(path, "", str(error)) from error
    if not str(document.get("lock-version", "")).startswith("1."):
        raise InvalidFile(path, "lock-version", "must be 1.x")
    packages = document.get("packages", [])
    if not isinstance(packages, list):
        raise InvalidFile(path, "packages", "must be an array of tables")
    return Lock(path=path, packages=tuple(_package(path, number, each) for number, each in enumerate(packages)))


def _package(path: Path, number: int, entry: Any) -> LockedPackage:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise InvalidFile(path, f"packages[{number}].name", "must be a text")
    try:
        return _typed_package(path, entry)
    except (AttributeError, TypeError) as error:
        raise InvalidFile(path, f"packages[{number}] ({entry['name']})", f"is malformed: {error}") from error


def _typed_package(path: Path, entry: Mapping[str, Any]) -> LockedPackage:
    name, version = entry["name"], str(entry.get("version", ""))
    marker, index = str(entry.get("marker", "")), str(entry.get("index", ""))
    files = [*entry.get("wheels", ()), *([entry["sdist"]] if "sdist" in entry else [])]
    if "archive" in entry:
        files = [entry["archive"]]
    hashes = tuple(
        sorted({f"sha256:{each['hashes']['sha256']}" for each in files if "sha256" in each.get("hashes", {})})
    )
    source, location = _source(path, entry, files)
    if source == "file" and any("sha256" not in each.get("hashes", {}) for each in files):
        hashes = ()
    return LockedPackage(
        name=name, version=version, source=source, location=location, hashes=hashes, marker=marker, index=index
    )


def _source(path: Path, entry: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    if "vcs" in entry or "directory" in entry:
        return ("vcs" if "vcs" in entry else "directory"), ""
    if not files:
        return "nothing", ""
    first = files[0]
    if "path" in first:
        return "file", (path.parent / str(first["path"])).resolve().as_uri()
    if "archive" in entry:
        return "file", str(first["url"]) if "url" in first else ""
    return "index", ""


def disagreements(lock: Lock, requirements: Sequence[str]) -> Iterator[str]:
    """Yield where the lock does not hold what the requirements ask for: someone changed the one and not the other.

    Requirements with markers are only compared when the lock has the package; URLs and paths are not compared.
    """
    from packaging.requirements import InvalidRequirement, Requirement  # 13 ms that a warm run does not need
    from packaging.utils import canonicalize_name

    locked = {canonicalize_name(each.name): each for each in lock.packages}
    for line in requirements:
        try:
            wanted = Requirement(line.partition(" --hash")[0])
        except InvalidRequirement:
            continue
        package = locked.get(canonicalize_name(wanted.name))
        if package is None:
            if wanted.marker is None:
                yield f"{wanted} is not in it"
        elif package.version and not wanted.specifier.contains(package.version, prereleases=True):
            yield f"it has {package.name} {package.version} where {wanted} is asked for"
