"""Local files and folders that a requirement names: where they are, and what is in them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

_HASH_OPTIONS = re.compile(r"\s+--hash[= ]\S+")
_MARKER = re.compile(r"\s+;.*$")
_ARCHIVE = re.compile(r"\.(whl|zip|tar\.gz|tgz|tar\.bz2|tar\.xz)$", re.IGNORECASE)
_EXTRAS = re.compile(r"\[[\w\s,.-]*\]$")
_SKIPPED = {"__pycache__", ".git", ".hg", ".venv"}


def rebased(line: str, directory: Path) -> tuple[str, Path | None]:
    """Give a requirement line with its local path made absolute, and that path; None when it names none.

    Understood are `./folder`, `wheels/a-1.0-py3-none-any.whl`, `/abs/a.whl[extra] ; marker`, `a @
    file:wheels/a.whl`, and the same after `-e `. Hash options and markers stay as they are.
    Relative paths start in `directory`.
    """
    editable, requirement = _split_editable(line)
    bare = _MARKER.sub("", _HASH_OPTIONS.sub("", requirement)).strip()
    if requirement.strip().startswith(bare):
        rest = requirement.strip()[len(bare) :]
    else:
        rest = ""
    name, at, target = bare.partition("@")
    if at and not _looks_like_path(name):
        path = path_of_url(target.strip(), directory)
        if path is None:
            return (line, None)
        return (f"{editable}{name.strip()} @ {path.as_uri()}{rest}", path)
    extras = found.group() if (found := _EXTRAS.search(bare)) else ""
    text = bare.removesuffix(extras)
    if text.startswith("file:"):
        path = path_of_url(text, directory)
    else:
        if editable or _looks_like_path(text):
            path = _absolute(text, directory)
        else:
            path = None
    if path is None or "://" in text.removeprefix("file://"):
        return (line, None)
    return (_as_line(editable, path, extras + rest), path)


def _split_editable(line: str) -> tuple[str, str]:
    found = re.match(r"(?:-e|--editable)[\s=]+(.*)", line, re.DOTALL)
    if found:
        return ("-e ", found.group(1))
    return ("", line)


def _as_line(editable: str, path: Path, rest: str) -> str:
    return f"{editable}{path.as_uri()}{rest}"


def _looks_like_path(text: str) -> bool:
    if re.match(r"[A-Za-z][\w+.-]*://", text):
        return False
    return text.startswith((".", "/")) or os.sep in text or bool(_ARCHIVE.search(text))


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
