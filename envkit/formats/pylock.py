"""The values of a lock (PEP 751): those of `packaging.pylock`, which no other module imports.

https://packaging.python.org/en/latest/specifications/pylock-toml/

Importing this module takes 30 ms, because `packaging` parses markers and versions: what a
prediction in a ready environment imports does so for type checkers only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockValidationError,
)

__all__ = [
    "File",
    "Package",
    "PackageArchive",
    "PackageDirectory",
    "PackageSdist",
    "PackageVcs",
    "PackageWheel",
    "Pylock",
    "PylockValidationError",
    "built_from",
    "file_name_of",
    "files_of",
    "hashes_of",
    "indexed_files_of",
    "with_built_from",
]

File = PackageWheel | PackageSdist | PackageArchive
_TOOL = "envkit"


def indexed_files_of(package: Package) -> Sequence[PackageWheel | PackageSdist]:
    """The wheels of a package, then its source distribution: what an index has of it."""
    wheels = package.wheels or ()
    if package.sdist is None:
        return wheels
    return (*wheels, package.sdist)


def files_of(package: Package) -> Sequence[File]:
    """All files of a package, wheels first."""
    files = indexed_files_of(package)
    if package.archive is None:
        return files
    return (*files, package.archive)


def file_name_of(file: File) -> str:
    """The name of a file: the one it has in the lock, or the last part of its path or URL."""
    if not isinstance(file, PackageArchive):
        return file.filename
    if file.path is not None:
        return re.split(r"[/\\]", file.path)[-1]
    return unquote(urlsplit(file.url or "").path).rpartition("/")[2]


def hashes_of(files: Sequence[File]) -> tuple[str, ...]:
    """The hashes of files as requirements state them, `sha256:…`, sorted."""
    hashes = {f"{name}:{digest}" for file in files for name, digest in file.hashes.items()}
    return tuple(sorted(hashes))


def with_built_from(reference: str) -> dict[str, Any]:
    """The `tool` table for a wheel that was built from a commit (`git+https://…@commit`)."""
    return {_TOOL: {"built-from": reference}}


def built_from(package: Package) -> str:
    """The commit from which the wheel of a package was built; empty where the lock does not say."""
    noted = (package.tool or {}).get(_TOOL, {})
    if isinstance(noted, Mapping):
        return str(noted.get("built-from", ""))
    return ""
