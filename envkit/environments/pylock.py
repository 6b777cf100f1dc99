"""What reproduction needs to know of a `pylock.toml` (PEP 751): can it be installed as it is, and does it fit?

https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.formats import pylock_toml
from envkit.formats.credentials import placeholder_names, without_credentials
from envkit.formats.requirement import Requirement

_PYPI = re.compile(r"https://pypi\.org(/simple)?/?")


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedPackage:
    """One package of a lock: what must be installed, and the digests its file may have.

    source: `index`, `file` (one archive by URL or path), or what no digest can hold (`vcs` or
    `directory`). location: the URL or absolute path of a `file`, `git+https://…@commit` of a `vcs`.
    built_from: the same, of a `file` that was built from there. hashes: `sha256:…`. marker, index:
    as the lock says, or empty.
    """

    name: str
    version: str
    source: str
    location: str = ""
    hashes: tuple[str, ...] = ()
    marker: str = ""
    index: str = ""
    built_from: str = ""

    @property
    def requirement(self) -> Requirement:
        """As a requirement with hashes."""
        if self.source in _DIRECT:
            text = f"{self.name} @ {self.location}"
        else:
            text = f"{self.name}=={self.version}"
        if self.marker:
            text += f" ; {self.marker}"
        return Requirement(text=text, hashes=self.hashes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """The packages of one lock file."""

    path: Path
    packages: tuple[LockedPackage, ...]

    @property
    def obstacle(self) -> str:
        """Why the lock alone cannot rebuild the environment with every file checked; empty when it can."""
        return self.obstacle_when(allow_source=False)

    def obstacle_when(self, *, allow_source: bool) -> str:
        """As `obstacle`; with `allow_source`, commits of repositories are no obstacle: they are what they hash."""
        for package in self.packages:
            if package.source == "directory" or (package.source == "vcs" and not allow_source):
                return f"{package.name} comes from {_WORDS[package.source]}"
            if placeholder_names(package.location):
                return f"the address of {package.name} asks for credentials"
            if not package.hashes and package.source != "vcs":
                return f"{package.name} has no hash"
        return ""

    @property
    def pins(self) -> tuple[Requirement, ...]:
        """`name==version` for every package that has a version."""
        return tuple(
            Requirement(text=f"{package.name}=={package.version}")
            for package in self.packages
            if package.version
        )

    @property
    def indexes(self) -> tuple[str, ...]:
        """The indexes other than PyPI that the packages came from."""
        found = {
            each.index: None
            for each in self.packages
            if each.index and not _PYPI.fullmatch(each.index)
        }
        return tuple(found)


_DIRECT = {"file", "vcs"}
_WORDS = {"vcs": "version control", "directory": "a source folder"}


def read(path: Path) -> Lock:
    """Read a lock file. Raises `InvalidFile`, naming the key, when it breaks the specification."""
    content = pylock_toml.read(path)
    return Lock(path=path, packages=tuple(_package(path, each) for each in content.packages))


def _package(path: Path, entry: Mapping[str, Any]) -> LockedPackage:
    files = [*entry.get("wheels", ()), *([entry["sdist"]] if "sdist" in entry else [])]
    if "archive" in entry:
        files = [entry["archive"]]
    digests = [each["hashes"].get("sha256") for each in files]
    source, location = _source(path, entry, files)
    checkable = all(digests) if source == "file" else any(digests)
    return LockedPackage(
        name=entry["name"],
        version=entry.get("version", ""),
        source=source,
        location=location,
        hashes=tuple(sorted({f"sha256:{digest}" for digest in digests if digest}))
        if checkable
        else (),
        marker=entry.get("marker", ""),
        index=entry.get("index", ""),
        built_from=pylock_toml.source_of(entry),
    )


def _source(
    path: Path, entry: Mapping[str, Any], files: Sequence[Mapping[str, Any]]
) -> tuple[str, str]:
    if "vcs" in entry:
        return "vcs", _commit(path, entry["vcs"])
    if "directory" in entry:
        return "directory", ""
    first = files[0]  # the specification wants one, or an archive
    if "path" in first:
        return "file", (path.parent / str(first["path"])).resolve().as_uri()
    if "archive" in entry:
        return "file", str(first["url"]) if "url" in first else ""
    return "index", ""


def _commit(path: Path, vcs: Mapping[str, Any]) -> str:
    if "url" in vcs:
        where = str(vcs["url"])
    else:
        where = (path.parent / str(vcs["path"])).resolve().as_uri()
    if "subdirectory" in vcs:
        fragment = f"#subdirectory={vcs['subdirectory']}"
    else:
        fragment = ""
    return f"{vcs['type']}+{where}@{vcs['commit-id']}{fragment}"


def disagreements(lock: Lock, requirements: Sequence[Requirement]) -> Iterator[str]:
    """Yield where the lock does not hold what the requirements ask for: someone changed the one and not the other.

    Requirements with markers are only compared when the lock has the package. Of URLs, those of
    commits are compared.
    """
    locked = {package.name: package for package in lock.packages}
    for requirement in requirements:
        if not requirement.is_valid:
            yield f"'{requirement.text}' is not a requirement"
        if requirement.pep508 is None or requirement.name is None:
            continue
        package = locked.get(requirement.name)
        if package is None:
            if requirement.marker is None:
                yield f"{without_credentials(requirement.text)} is missing from it"
            continue
        version, url = package.version, requirement.url
        if version and not requirement.specifier.contains(version, prereleases=True):
            yield f"it has {package.name} {version}, but {requirement.text} is required"
        elif url and _is_other_commit(package, url):
            yield f"it has {package.name} at another commit than {without_credentials(url)}"


def _is_other_commit(package: LockedPackage, url: str) -> bool:
    """Whether the lock holds a commit, and the URL names another; the way to the repository may be another."""
    if package.source == "vcs":
        held = package.location
    else:
        held = package.built_from
    return bool(held) and _revision(held) != _revision(url)


def _revision(url: str) -> str:
    return url.partition("#")[0].rpartition("@")[2]
