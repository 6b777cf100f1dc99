"""What a build asks of a `pylock.toml`: can it be installed as it is, and does it fit?

https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envkit.formats import pylock
from envkit.formats.credentials import placeholder_names, without_credentials
from envkit.formats.pylock import File, Package
from envkit.formats.pylock_toml import LockFile
from envkit.formats.requirement import Requirement, RequirementOrigin

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
        Requirement(text=f"{package.name}=={package.version}")
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


def disagreements(lock: LockFile, requirements: Sequence[Requirement]) -> Iterator[str]:
    """Yield where lock and requirements disagree: one was changed without the other.

    Requirements with markers are only compared when the lock has the package. Of URLs, those of
    commits are compared.
    """
    packages: dict[str, Package] = {package.name: package for package in lock.lock.packages}
    for requirement in requirements:
        shown = without_credentials(requirement.text)
        if not requirement.is_valid:
            yield f"'{shown}' is not a requirement"
        if requirement.pep508 is None:
            continue
        package = packages.get(requirement.name or "")
        if package is None:
            if requirement.marker is None:
                yield f"{shown} is missing from it"
            continue
        version, url = package.version, requirement.url
        if version and not requirement.specifier.contains(version, prereleases=True):
            yield f"it has {package.name} {version}, but {shown} is required"
        elif url is not None and _is_other_commit(package, lock, url):
            yield f"it has {package.name} at another commit than {without_credentials(url)}"


def _requirement(package: Package, lock: LockFile) -> Requirement:
    place = location(package, lock)
    text = f"{package.name} @ {place}" if place else f"{package.name}=={package.version}"
    if package.marker is not None:
        text += f" ; {package.marker}"
    return Requirement(text=text, hashes=_hashes(package))


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


def _is_other_commit(package: Package, lock: LockFile, url: str) -> bool:
    """Whether lock and URL name different commits; the URL of the repository may differ."""
    if package.vcs is not None:
        held = location(package, lock)
    else:
        held = pylock.built_from(package)
    return bool(held) and _revision(held) != _revision(url)


def _revision(url: str) -> str:
    return url.partition("#")[0].rpartition("@")[2]
