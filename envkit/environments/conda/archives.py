"""Check what conda, mamba or micromamba installed against the lock, or the channel's digests.

They check what they download, but not the archives of `file:` channels, which can be exchanged
without the channel's index.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from envkit.environments.local_files import path_of_url
from envkit.errors import BuildFailed
from envkit.formats.pixi_lock import LockedCondaPackage
from envkit.installed.conda_meta import CondaMeta, Record

_IN_CACHE = "package_tarball_full_path"
_REMEDY = (
    "Correct the channel's index or the lock, and remove the archive from the package cache "
    "(`conda clean --packages --tarballs`)."
)


def check_local(locked: Iterable[LockedCondaPackage], directory: Path) -> None:
    """Compare archives of `file:` channels with the lock, before any of their programs runs.

    Raises `BuildFailed`.
    """
    for package in locked:
        path = path_of_url(package.url, directory)
        if path is not None and package.sha256:
            _compare(path, "sha256", package.sha256)


def check(environment: Path, locked: Iterable[LockedCondaPackage]) -> None:
    """Compare the archive of each installed package with its digest, where it can be read.

    The digest is the one in the lock, else that of the channel's index, which conda puts into the
    record. Raises `BuildFailed`.
    """
    by_file = {_file_name(package.url): package for package in locked}
    for record in CondaMeta(environment).sound():
        package = by_file.get(_file_name(str(record.get("url") or "")))
        expected = _expected(record, package)
        archive = _archive(record)
        if archive is None or not any(expected.values()):
            continue
        for algorithm, digest in expected.items():
            if digest:
                _compare(archive, algorithm, digest)
                break


def _file_name(url: str) -> str:
    return url.rpartition("/")[2]


def _expected(record: Record, package: LockedCondaPackage | None) -> dict[str, str]:
    """Return the digests that count, the stronger one first."""
    if package is not None and (package.sha256 or package.md5):
        return {"sha256": package.sha256, "md5": package.md5}
    return {name: str(record.get(name) or "") for name in ("sha256", "md5")}


def _archive(record: Record) -> Path | None:
    """Return the archive that was installed: the copy in the package cache, else the channel's."""
    cached = Path(str(record.get(_IN_CACHE) or "."))
    if cached.is_file():
        return cached
    path = path_of_url(str(record.get("url") or ""), Path("/"))
    if path is not None and path.is_file():
        return path
    return None


def _compare(archive: Path, algorithm: str, expected: str) -> None:
    try:
        with archive.open("rb") as stream:
            digest = hashlib.file_digest(stream, algorithm).hexdigest()
    except OSError as error:
        raise BuildFailed("read a conda package", f"{archive}: {error.strerror}") from error
    if digest != expected.lower():
        raise BuildFailed(
            "trust a conda package: its archive is not the one that was named",
            f"{archive} has {algorithm} {digest}, and {expected} is expected.\n{_REMEDY}",
        )
