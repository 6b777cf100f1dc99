"""Direct references (URLs and paths): their lock entries are known without a resolver."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from envkit.errors import InvalidFile
from envkit.formats.credentials import placeholders
from envkit.formats.pylock import Package, PackageArchive, PackageVcs, built_from
from envkit.formats.pylock_toml import LockFile
from envkit.formats.requirement import Requirement, RequirementOrigin, is_url

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def wheels_of_commits(
    lock: LockFile | None, directory: Path, *, elsewhere: bool
) -> dict[str, Package]:
    """Map URLs of commits to the model's wheels that the present lock says were built from them.

    elsewhere: for another platform or Python, so that only wheels for all of them count. A wheel
    that is missing or has changed does not count.
    """
    if lock is None:
        return {}
    try:
        packages = lock.lock.packages
    except InvalidFile:
        # it is about to be replaced
        return {}
    wheels: dict[str, Package] = {}
    for package in packages:
        commit = built_from(package)
        archive = _local_archive(package)
        if not commit or archive is None or not _is_intact(archive, directory):
            continue
        if elsewhere and not str(archive.path).endswith("-none-any.whl"):
            continue
        wheels[commit] = Package(
            name=package.name, version=package.version, archive=archive, tool=package.tool
        )
    return wheels


def package_of(requirement: Requirement, directory: Path) -> Package | None:
    """Give the lock entry for a commit, an archive with its hash or a wheel of the model.

    None means that an index must be asked.

    Raises `InvalidFile` for what cannot be locked: a folder, a branch, a file that does not exist.
    """
    if is_url(requirement.text):
        # without a name in front, the resolver finds out what it is
        return None
    path = requirement.local_path(directory)
    if path is not None:
        return _wheel(requirement, path, directory)
    url = requirement.url
    if url is None:
        return None
    if requirement.origin is RequirementOrigin.REPOSITORY:
        return _commit(requirement, url)
    fragment = parse_qs(urlsplit(url).fragment)
    digests = [*requirement.hashes, *(f"sha256:{digest}" for digest in fragment.get("sha256", []))]
    if not digests:
        return None
    algorithm, _, digest = digests[0].partition(":")
    archive = PackageArchive(url=placeholders(url.partition("#")[0]), hashes={algorithm: digest})
    return Package(name=canonicalize_name(_name(requirement)), archive=archive)


def is_local_wheel(package: Package) -> bool:
    """Whether it is a wheel that the model contains."""
    return package.archive is not None and package.archive.path is not None


def reference(package: Package, directory: Path) -> Requirement:
    """Such a wheel as a requirement, by its absolute path."""
    path = package.archive.path if package.archive is not None else None
    return Requirement(text=f"{package.name} @ {(directory / (path or '')).as_uri()}")


def _local_archive(package: Package) -> PackageArchive | None:
    """The wheel of a package that the model contains; `envkit bundle` lists it among the wheels."""
    if package.archive is not None:
        return package.archive if package.archive.path is not None else None
    wheel = next(iter(package.wheels or ()), None)
    if wheel is None or wheel.path is None:
        return None
    return PackageArchive(path=wheel.path, hashes=wheel.hashes)


def _is_intact(archive: PackageArchive, directory: Path) -> bool:
    path = directory / (archive.path or "")
    return path.is_file() and _sha256(path) == archive.hashes.get("sha256")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _commit(requirement: Requirement, url: str) -> Package:
    kind, _, rest = url.partition("+")
    address, _, fragment = rest.partition("#")
    repository, _, commit = address.rpartition("@")
    if not _COMMIT.fullmatch(commit):
        raise _refused(
            requirement,
            "is not pinned to a commit, so its content can change",
            "Name a commit: `…@<commit>`.",
        )
    subdirectories = parse_qs(fragment).get("subdirectory")
    vcs = PackageVcs(
        type=kind,
        url=placeholders(repository),
        commit_id=commit,
        subdirectory=subdirectories[0] if subdirectories else None,
    )
    return Package(name=canonicalize_name(_name(requirement)), vcs=vcs)


def _wheel(requirement: Requirement, path: Path, directory: Path) -> Package:
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
        digest = _sha256(path)
    except InvalidWheelFilename:
        hint = "`envkit capture` builds wheels of local code."
        raise _refused(requirement, "is source, not a wheel", hint) from None
    except OSError as error:
        raise _refused(requirement, f"cannot be read ({error.strerror})") from None
    try:
        inside = path.resolve().relative_to(directory.resolve()).as_posix()
    except ValueError:
        hint = "Put the wheel into the model's `wheels/`."
        raise _refused(requirement, "lies outside the model", hint) from None
    archive = PackageArchive(path=inside, hashes={"sha256": digest})
    return Package(name=name, version=version, archive=archive)


def _name(requirement: Requirement) -> str:
    if requirement.name is None:
        raise _refused(requirement, "has no name", "Write `name @ URL`.")
    return requirement.name


def _refused(requirement: Requirement, problem: str, hint: str = "") -> InvalidFile:
    where = f"line {requirement.line}" if requirement.line else ""
    shown = placeholders(requirement.text)
    return InvalidFile(requirement.file, where, f"`{shown}` {problem}", hint)
