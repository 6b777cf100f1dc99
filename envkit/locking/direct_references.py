"""What a requirement names by its address: the entry of the lock says so without any resolver."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from envkit.errors import InvalidFile
from envkit.formats import pylock_toml
from envkit.formats.credentials import placeholders
from envkit.formats.pylock_toml import LockedPackage
from envkit.formats.requirement import Requirement, RequirementOrigin, is_url

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def built(lock: Path | None, directory: Path, *, elsewhere: bool) -> dict[str, LockedPackage]:
    """The wheels of the model that the present lock says were built from commits, by these; those that are there.

    elsewhere: another platform or Python is asked for, so that only wheels for all count.
    """
    try:
        if lock is not None:
            known = pylock_toml.read(lock).packages
        else:
            known = ()
    except InvalidFile:  # it is about to be replaced
        return {}
    packages = (each for each in known if pylock_toml.source_of(each))
    return {
        pylock_toml.source_of(each): _as_archive(each)
        for each in packages
        if _is_there(each, directory)
        and (not elsewhere or _file(each)["path"].endswith("-none-any.whl"))
    }


def entry(requirement: Requirement, directory: Path) -> LockedPackage | None:
    """Give the entry for a commit, an archive with its hash or a wheel of the model; None for what an index must tell.

    Raises `InvalidFile` for what cannot be locked: a folder, a branch, a file that is not there.
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
    digests = [
        *requirement.hashes,
        *(f"sha256:{each}" for each in parse_qs(urlsplit(url).fragment).get("sha256", [])),
    ]
    if not digests:
        return None
    algorithm, _, digest = digests[0].partition(":")
    bare = placeholders(url.partition("#")[0])
    return {"name": _name(requirement), "archive": {"url": bare, "hashes": {algorithm: digest}}}


def _is_there(package: LockedPackage, directory: Path) -> bool:
    file = _file(package)
    path = directory / str(file.get("path"))
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == file["hashes"].get(
        "sha256"
    )


def _as_archive(package: LockedPackage) -> LockedPackage:
    """The entry of such a wheel as a capture writes it, also where a bundle wrote it."""
    file = {key: _file(package)[key] for key in ("path", "hashes")}
    return {
        "name": package["name"],
        "version": package["version"],
        "archive": file,
        "tool": package["tool"],
    }


def _file(package: LockedPackage) -> Mapping[str, Any]:
    """The one file of a package that has one; a bundle lists it among `wheels`."""
    file: Mapping[str, Any] = package.get("archive") or next(iter(package.get("wheels", ())), {})
    return file


def is_wheel(package: LockedPackage) -> bool:
    """Whether it is a wheel that the model takes along."""
    return "path" in _file(package)


def reference(package: LockedPackage, directory: Path) -> Requirement:
    """Such a wheel as a requirement, by its absolute path."""
    wheel = directory / _file(package)["path"]
    return Requirement(text=f"{package['name']} @ {wheel.as_uri()}")


def _commit(requirement: Requirement, url: str) -> LockedPackage:
    kind, _, rest = url.partition("+")
    address, _, fragment = rest.partition("#")
    repository, _, commit = address.rpartition("@")
    if not _COMMIT.fullmatch(commit):
        raise _refused(
            requirement,
            "names no commit, so it is something else tomorrow",
            "Name one: `…@<commit>`.",
        )
    vcs: dict[str, Any] = {"type": kind, "url": placeholders(repository), "commit-id": commit}
    if subdirectory := parse_qs(fragment).get("subdirectory"):
        vcs["subdirectory"] = subdirectory[0]
    return {"name": _name(requirement), "vcs": vcs}


def _wheel(requirement: Requirement, path: Path, directory: Path) -> LockedPackage:
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except InvalidWheelFilename:
        raise _refused(
            requirement, "is source, not a wheel", "`envkit capture` builds wheels of local code."
        ) from None
    except OSError as error:
        raise _refused(requirement, f"cannot be read ({error.strerror})") from None
    try:
        inside = path.resolve().relative_to(directory.resolve()).as_posix()
    except ValueError:
        raise _refused(
            requirement, "lies outside the model", "Put the wheel into the model's `wheels/`."
        ) from None
    archive = {"path": inside, "hashes": {"sha256": digest}}
    return {"name": name, "version": str(version), "archive": archive}


def _name(requirement: Requirement) -> str:
    if requirement.name is None:
        raise _refused(requirement, "has no name", "Write `name @ URL`.")
    return requirement.name


def _refused(requirement: Requirement, problem: str, hint: str = "") -> InvalidFile:
    where = f"line {requirement.line}" if requirement.line else ""
    return InvalidFile(
        requirement.file, where, f"`{placeholders(requirement.text)}` {problem}", hint
    )
