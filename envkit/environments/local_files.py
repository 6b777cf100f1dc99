"""Local files and folders that a requirement names: where they are, and what is in them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from envkit.formats.requirement import Requirement

_SKIPPED = {"__pycache__", ".git", ".hg", ".venv"}


def rebased(requirement: Requirement, directory: Path) -> tuple[Requirement, Path | None]:
    """Make the local path of a requirement absolute; give that path too, None where it names none.

    Understood are `./folder`, `wheels/a-1.0-py3-none-any.whl`, `/abs/a.whl[extra] ; marker`, `a @
    file:wheels/a.whl`, and editable ones. Relative paths start in `directory`.
    """
    path = requirement.local_path(directory)
    if path is None:
        return requirement, None
    place = requirement.path or requirement.url or ""
    before, _, after = requirement.text.partition(place)
    if before:
        # `name@place`
        before = f"{before.rstrip(' @')} @ "
    return replace(requirement, text=f"{before}{path.as_uri()}{after}"), path


def path_of_url(url: str, directory: Path) -> Path | None:
    """Give the absolute path that a `file:` URL names; None for any other URL."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return _absolute(unquote(parts.path), directory)
    return None


def _absolute(text: str, directory: Path) -> Path:
    return Path(os.path.normpath(directory / text))


def is_source(path: Path) -> bool:
    """Whether installing from this path would run a build: anything but a wheel."""
    return path.suffix.lower() != ".whl"


def file_digest(path: Path) -> str:
    """Give the SHA-256 of a file. Raises `OSError`."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest(path: Path, of_file: Callable[[Path], str] = file_digest) -> str:
    """Give the SHA-256 of a file, or of a folder's file names and contents. Raises `OSError`.

    `of_file` digests each file: `digests` does so from memory.
    """
    if path.is_file():
        return of_file(path)
    total = hashlib.sha256()
    for folder, folders, names in os.walk(path, onerror=_raise):
        folders[:] = sorted(set(folders) - _SKIPPED)
        for name in sorted(names):
            file = Path(folder) / name
            total.update(
                f"{file.relative_to(path)}\0{of_file(file)}\n".encode("utf-8", "surrogateescape")
            )
    return total.hexdigest()


def _raise(error: OSError) -> None:
    raise error
