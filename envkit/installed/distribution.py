"""One installed distribution, by the metadata folder that its installer wrote."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from envkit.installed.metadata import Metadata, damaged

METADATA_SUFFIXES = (".dist-info", ".egg-info")
ORIGIN = "direct_url.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a distribution came from if not from an index (PEP 610, `direct_url.json`).

    Attributes:
        url: Of an archive, a folder or a repository.
        vcs: `git`, `hg`, … for a repository.
        commit: The exact revision in the repository.
        editable: Whether it is installed in development mode.
        digest: `sha256:…` of an archive, if the installer recorded it.
        subdirectory: The folder within the repository or archive.
    """

    url: str
    vcs: str | None = None
    commit: str | None = None
    editable: bool = False
    digest: str | None = None
    subdirectory: str | None = None

    @property
    def local(self) -> bool:
        """Whether the URL is a path, which exists only on this machine."""
        return self.url.startswith("file:")

    @property
    def is_commit(self) -> bool:
        """Whether it is an exact revision of a repository, whose content never changes."""
        return bool(self.vcs and self.commit)


@dataclass(frozen=True)
class Distribution:
    """An installed distribution. Two are equal if they have the same metadata folder.

    Attributes:
        folder: The metadata folder, `….dist-info` or `….egg-info`.
        name: The normalized name.
        version: The version as the metadata has it.
    """

    folder: Path
    name: NormalizedName = field(compare=False)
    version: str = field(compare=False)

    @cached_property
    def _metadata(self) -> Metadata:
        return Metadata(self.folder)

    @cached_property
    def requires(self) -> tuple[Requirement, ...]:
        """What its metadata requires, with markers and extras not evaluated."""
        return tuple(line for line in self._required if isinstance(line, Requirement))

    @cached_property
    def unreadable_requires(self) -> tuple[str, ...]:
        """Lines of legacy metadata that are not PEP 508; pip refuses them too, when it installs."""
        return tuple(line for line in self._required if isinstance(line, str))

    @cached_property
    def _required(self) -> tuple[Requirement | str, ...]:
        return tuple(map(_requirement, self._metadata.requires or ()))

    @cached_property
    def extras(self) -> tuple[str, ...]:
        """The extras that its metadata offers, normalised."""
        extras = self._metadata.metadata.get_all("Provides-Extra") or ()
        return tuple(map(canonicalize_name, extras))

    @cached_property
    def origin(self) -> Origin | None:
        """Where it came from, None for an index or a channel."""
        # conda records the folder in which it built the package
        if self.installer == "conda":
            return None
        text = self._metadata.read_text(ORIGIN)
        return _origin(text, self.folder / ORIGIN) if text else None

    @cached_property
    def installer(self) -> str | None:
        """What installed it (`pip`, `uv`, `conda`, `debian`), by its INSTALLER file."""
        text = self._metadata.read_text("INSTALLER")
        return text.strip() if text else None

    @cached_property
    def record(self) -> Mapping[str, tuple[str, str]]:
        """Its files, relative to the site folder, each with its recorded hash and size."""
        text = self._metadata.read_text("RECORD")
        if text is None:
            return self._record_of_setup_py()
        rows = csv.reader(text.splitlines())
        return {row[0]: (row[1], row[2]) for row in rows if len(row) >= 3}

    def _record_of_setup_py(self) -> Mapping[str, tuple[str, str]]:
        """The files that `setup.py install` listed, relative to the metadata, without hashes."""
        listed = self._metadata.read_text("installed-files.txt") or ""
        record = {}
        for line in filter(None, listed.splitlines()):
            path = os.path.normpath(f"{self.folder.name}/{line}")
            record[path.replace(os.sep, "/")] = ("", "")
        return record

    @cached_property
    def top_level(self) -> frozenset[str]:
        """The names of its top-level modules, for metadata that list no files."""
        text = self._metadata.read_text("top_level.txt") or ""
        return frozenset(text.split())


def read_distribution(folder: Path) -> Distribution | None:
    """Read a metadata folder; None for what an interrupted installation left."""
    name, _, version = folder.stem.partition("-")
    if folder.suffix == ".dist-info" and name and version:
        # the name of the folder says it all, and opening thousands of files takes long
        if not (folder / "METADATA").is_file():
            return None
        return Distribution(folder=folder, name=canonicalize_name(name), version=version)
    try:
        metadata = Metadata(folder).metadata
    except FileNotFoundError:
        return None
    name = metadata.get("Name") or ""
    version = metadata.get("Version") or ""
    if not name or not version:
        return None
    return Distribution(folder=folder, name=canonicalize_name(name), version=version)


def is_metadata(file: str) -> bool:
    """Whether the file is metadata of a distribution."""
    return Path(file).parent.suffix in METADATA_SUFFIXES


def _requirement(line: str) -> Requirement | str:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return line


def _origin(text: str, path: Path) -> Origin:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise damaged(path, "is not a JSON object")
    if not isinstance(document.get("url"), str):
        raise damaged(path, "has no `url`")
    vcs = document.get("vcs_info") or {}
    folder = document.get("dir_info") or {}
    return Origin(
        url=document["url"],
        vcs=vcs.get("vcs"),
        commit=vcs.get("commit_id"),
        editable=bool(folder.get("editable")),
        digest=_digest(document.get("archive_info") or {}),
        subdirectory=document.get("subdirectory"),
    )


def _digest(archive: Mapping[str, Any]) -> str | None:
    """`sha256:…` of an archive. `hash` is the key that `hashes` replaced."""
    hashes = archive.get("hashes") or {}
    if "sha256" in hashes:
        return f"sha256:{hashes['sha256']}"
    legacy = str(archive.get("hash", ""))
    return legacy.replace("=", ":") or None
