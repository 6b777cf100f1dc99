"""What a build asks of a `pylock.toml`: can it be installed as it is, and does it fit?

https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from envkit.formats import pylock
from envkit.formats.credentials import placeholder_names, without_credentials
from envkit.formats.pylock import File, Package
from envkit.formats.pylock_toml import LockFile
from envkit.formats.requirement import Requirement, RequirementOrigin

if TYPE_CHECKING:
    from packaging.markers import Marker

_PYPI = re.compile(r"https://pypi\.org(/simple)?/?")


def obstacle(lock: LockFile, *, allow_source: bool = False) -> str:
    """Why the lock alone cannot rebuild the environment with every file checked; empty when it can.

    With `allow_source`, commits of repositories are not an obstacle: a commit is its own hash.
    """
    for package in lock.lock.packages:
        if package.directory is not None:
            return f"{package.name} comes from a source folder"
        if package.vcs is not None and not allow_source:
            return f"{package.name} comes from version control"
        if placeholder_names(location(package, lock)):
            return f"the address of {package.name} requires credentials"
        if package.vcs is None and not _hashes(package):
            return f"{package.name} has no hash"
    return ""


def requirements(lock: LockFile) -> tuple[Requirement, ...]:
    """Give each package as a requirement with the hashes that its file may have."""
    return tuple(_requirement(package, lock) for package in lock.lock.packages)


def pins(lock: LockFile) -> tuple[Requirement, ...]:
    """Give `name==version` for every package that has a version."""
    return tuple(
        Requirement(text=f"{package.name}=={package.version}{_marker_of(package)}")
        for package in lock.lock.packages
        if package.version is not None
    )


def indexes(lock: LockFile) -> tuple[str, ...]:
    """Give the indexes other than PyPI that the packages came from."""
    named = [package.index for package in lock.lock.packages if package.index]
    return tuple(dict.fromkeys(index for index in named if not _PYPI.fullmatch(index)))


def wheels_of_commits(lock: LockFile) -> dict[str, str]:
    """Map the URL of a commit to the URL of the model's wheel that was built from it."""
    return {
        commit: location(package, lock)
        for package in lock.lock.packages
        if (commit := pylock.built_from(package))
    }


def origin_of(package: Package) -> RequirementOrigin:
    """Where an installer gets a package."""
    if package.vcs is not None:
        return RequirementOrigin.REPOSITORY
    if package.directory is not None:
        return RequirementOrigin.PATH
    if package.archive is not None or _main_file(package).path is not None:
        return RequirementOrigin.ARCHIVE
    return RequirementOrigin.INDEX


def location(package: Package, lock: LockFile) -> str:
    """Give the URL of a package's archive, or `git+https://…@commit`; empty for an index."""
    origin = origin_of(package)
    if package.vcs is not None:
        vcs = package.vcs
        repository = vcs.url if vcs.url is not None else lock.file_uri(vcs.path or "")
        fragment = f"#subdirectory={vcs.subdirectory}" if vcs.subdirectory is not None else ""
        return f"{vcs.type}+{repository}@{vcs.commit_id}{fragment}"
    if origin is RequirementOrigin.ARCHIVE:
        file = _main_file(package)
        return lock.file_uri(file.path) if file.path is not None else file.url or ""
    return ""


def disagreements(
    lock: LockFile, requirements: Sequence[Requirement], python: str
) -> Iterator[str]:
    """Yield where lock and requirements disagree: one was changed without the other.

    Requirements and packages whose marker does not hold on this machine with this version of Python
    are left out. Of URLs, those of commits are compared.
    """
    here = _marker_environment(python)
    packages: dict[str, list[Package]] = defaultdict(list)
    for package in lock.lock.packages:
        if _holds(package.marker, here):
            packages[package.name].append(package)
    for requirement in requirements:
        shown = without_credentials(requirement.text)
        if not requirement.is_valid:
            yield f"'{shown}' is not a requirement"
        if requirement.pep508 is None or not _holds(requirement.marker, here):
            continue
        candidates = packages.get(requirement.name or "", [])
        if not candidates:
            yield f"{shown} is missing from it"
            continue
        problems = [_disagreement(package, requirement, lock) for package in candidates]
        if all(problems):
            yield problems[0]


def _requirement(package: Package, lock: LockFile) -> Requirement:
    place = location(package, lock)
    text = f"{package.name} @ {place}" if place else f"{package.name}=={package.version}"
    return Requirement(text=text + _marker_of(package), hashes=_hashes(package))


def _marker_of(package: Package) -> str:
    """The marker of a package as it follows a requirement; empty without one."""
    if package.marker is None:
        return ""
    return f" ; {package.marker}"


def _hashes(package: Package) -> tuple[str, ...]:
    """Give the SHA-256 hashes that a package's file may have; empty if a file lacks one."""
    files = pylock.files_of(package)
    digests = [file.hashes["sha256"] for file in files if "sha256" in file.hashes]
    # an installer chooses among the files of an index, so those with a hash suffice
    if origin_of(package) is RequirementOrigin.ARCHIVE and len(digests) < len(files):
        return ()
    return tuple(sorted({f"sha256:{digest}" for digest in digests}))


def _main_file(package: Package) -> File:
    # the specification requires one where there is neither a repository nor a folder
    return pylock.files_of(package)[0]


def _disagreement(package: Package, requirement: Requirement, lock: LockFile) -> str:
    """How a package is not what is required; empty if it is."""
    version, url = package.version, requirement.url
    if version and not requirement.specifier.contains(version, prereleases=True):
        shown = without_credentials(requirement.text)
        return f"it has {package.name} {version}, but {shown} is required"
    if url is not None and _is_other_commit(package, lock, url):
        return f"it has {package.name} at another commit than {without_credentials(url)}"
    return ""


def _marker_environment(python: str) -> dict[str, str]:
    """What markers see on this machine with a version of Python."""
    environment = {"python_version": ".".join(python.split(".")[:2]), "extra": ""}
    # `3.11` alone does not say which patch release it will be
    if python.count(".") > 1:
        environment["python_full_version"] = python
        environment["implementation_version"] = python
    return environment


def _holds(marker: Marker | None, environment: Mapping[str, str]) -> bool:
    # only few lines and packages have one, and `packaging.markers` is slow to import
    if marker is None:
        return True
    from packaging.markers import UndefinedEnvironmentName

    try:
        return marker.evaluate(dict(environment))
    except UndefinedEnvironmentName:
        # `extras` and `dependency_groups` mean something in locks alone
        return True


def _is_other_commit(package: Package, lock: LockFile, url: str) -> bool:
    """Whether lock and URL name different commits; the URL of the repository may differ."""
    if package.vcs is not None:
        held = location(package, lock)
    else:
        held = pylock.built_from(package)
    return bool(held) and _revision(held) != _revision(url)


def _revision(url: str) -> str:
    return url.partition("#")[0].rpartition("@")[2]
