"""Which installed distribution a file belongs to, by the distributions' own records.

A file belongs to the distribution whose RECORD (PEP 376, "Recording installed projects" of the
packaging specifications) lists it; a file outside every site directory belongs to the editable
install (PEP 660) that points at it. Names decide nothing, so namespace packages, modules named
unlike their distribution and two providers of one module need no table. Only the records that
mention a used module are parsed: the cost grows with what was imported, not with what is installed.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from envkit.installed import editable as development
from envkit.installed.metadata import Metadata, damaged

METADATA_SUFFIXES = (".dist-info", ".egg-info")


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a distribution came from when it was not an index (PEP 610, `direct_url.json`).

    vcs: `git`, `hg`, …, with `commit` the exact revision; editable: installed in development mode;
    digest: `sha256:…` of an archive, when the installer recorded one; subdirectory: within
    repository or archive.
    """

    url: str
    vcs: str | None = None
    commit: str | None = None
    editable: bool = False
    digest: str | None = None
    subdirectory: str | None = None

    @property
    def local(self) -> bool:
        """Whether the URL leads to a file, folder or repository of this machine, which nobody else has."""
        return self.url.startswith("file:")

    @property
    def is_commit(self) -> bool:
        """Whether it is an exact revision of a repository, and so the same wherever the repository can be reached."""
        return bool(self.vcs and self.commit)


@dataclass(frozen=True)
class Distribution:
    """An installed distribution. Equal when they are the same metadata folder."""

    folder: Path
    name: NormalizedName = field(compare=False)
    version: str = field(compare=False)

    @cached_property
    def _metadata(self) -> Metadata:
        return Metadata(self.folder)

    @cached_property
    def requires(self) -> tuple[Requirement, ...]:
        """What its metadata requires, markers and extras unevaluated; lines that are not PEP 508 are left out."""
        return tuple(each for each in self._required if isinstance(each, Requirement))

    @cached_property
    def unreadable_requires(self) -> tuple[str, ...]:
        """The lines that are left out: legacy metadata, which pip refuses too, when it installs."""
        return tuple(each for each in self._required if isinstance(each, str))

    @cached_property
    def _required(self) -> tuple[Requirement | str, ...]:
        return tuple(map(_requirement, self._metadata.requires or ()))

    @cached_property
    def extras(self) -> tuple[str, ...]:
        """The extras that its metadata offers, normalised."""
        return tuple(
            canonicalize_name(extra)
            for extra in self._metadata.metadata.get_all("Provides-Extra") or ()
        )

    @cached_property
    def origin(self) -> Origin | None:
        """Where it came from, or None for an index or channel. What conda notes is the folder of its own build."""
        if self.installer == "conda":
            return None
        return _origin(self._metadata.read_text("direct_url.json"), self.folder / "direct_url.json")

    @cached_property
    def installer(self) -> str | None:
        """Who installed it (`pip`, `uv`, `conda`, `debian`), by its INSTALLER file."""
        text = self._metadata.read_text("INSTALLER")
        if text:
            return text.strip()
        return None

    @cached_property
    def record(self) -> Mapping[str, tuple[str, str]]:
        """Its files, relative to the folder that its metadata lies in, each with recorded hash and size."""
        text = self._metadata.read_text("RECORD")
        if text is not None:
            return {
                row[0]: (row[1], row[2]) for row in csv.reader(text.splitlines()) if len(row) >= 3
            }
        # what `setup.py install` left
        listed = self._metadata.read_text("installed-files.txt") or ""
        paths = (
            os.path.normpath(f"{self.folder.name}/{line}") for line in listed.splitlines() if line
        )
        return {path.replace(os.sep, "/"): ("", "") for path in paths}

    @cached_property
    def top_level(self) -> frozenset[str]:
        """Names of its top-level modules, for metadata that lists no files."""
        return frozenset((self._metadata.read_text("top_level.txt") or "").split())


class InstalledDistributions:
    """Everything installed on the module search path of one interpreter."""

    def __init__(self, sys_path: Sequence[str]) -> None:
        """Look at `sys_path`, the traced interpreter's; entries that are not folders are passed over."""
        self._sites = tuple(_Site(folder) for folder in _folders(sys_path))
        self._owners: dict[str, Distribution | None] = {}

    def owner(self, file: str) -> Distribution | None:
        """The distribution that this file (an absolute path) belongs to, or None."""
        if file not in self._owners:
            self._owners[file] = self._find_owner(file)
        return self._owners[file]

    def named(self, name: str) -> Distribution | None:
        """The distribution of this name that an import would meet first, or None."""
        return self._by_name.get(canonicalize_name(name))

    def __iter__(self) -> Iterator[Distribution]:
        """Each distribution that an import could meet, one for each name."""
        return iter(self._by_name.values())

    @property
    def every(self) -> tuple[Distribution, ...]:
        """All of them, one a name."""
        return tuple(self._by_name.values())

    @property
    def editable_folders(self) -> tuple[str, ...]:
        """Where the code of development installs lies that is outside every site folder."""
        return tuple(self._editables)

    @cached_property
    def _by_name(self) -> Mapping[NormalizedName, Distribution]:
        found: dict[NormalizedName, Distribution] = {}
        for site in self._sites:
            for distribution in site.distributions:
                known = found.get(distribution.name)
                if known is None or (
                    known.folder.parent == distribution.folder.parent and _is_stale(known)
                ):
                    found[distribution.name] = distribution
        return found

    def _find_owner(self, file: str) -> Distribution | None:
        for site in self._sites:
            relative = site.relative(file)
            if relative is not None:
                return site.owner(relative)
        # data files outside the site folder: RECORD lists them as ../../../share/…
        for site in self._sites:
            owner = site.owner_above(file)
            if owner is not None:
                return owner
        return self._editable_owner(file)

    def _editable_owner(self, file: str) -> Distribution | None:
        holding = [folder for folder in self._editables if _is_below(file, folder)]
        if holding:
            return self._editables[max(holding, key=len)]
        return None

    @cached_property
    def _editables(self) -> Mapping[str, Distribution]:
        return {folder: owner for site in self._sites for folder, owner in site.editables()}


class _Site:
    """One folder of the search path, with the distributions whose metadata lies in it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._prefixes = tuple(dict.fromkeys((folder, os.path.realpath(folder))))
        self._claims: dict[str, tuple[Distribution, ...]] = {}
        self._judged: dict[tuple[Distribution, ...], Distribution] = {}

    @cached_property
    def distributions(self) -> tuple[Distribution, ...]:
        entries = sorted(
            path for path in Path(self.folder).iterdir() if path.name.endswith(METADATA_SUFFIXES)
        )
        return tuple(filter(None, map(_read_distribution, entries)))

    @cached_property
    def _records(self) -> tuple[tuple[Distribution, bytes], ...]:
        """Each distribution with the raw text of its record, to be searched before anything is parsed."""
        return tuple((each, b"\n" + _raw_record(each.folder)) for each in self.distributions)

    def relative(self, file: str) -> str | None:
        """The path below this folder, with `/`, or None when the file lies elsewhere or in a nested site."""
        for prefix in self._prefixes:
            if _is_below(file, prefix):
                relative = file[len(prefix) :].lstrip(os.sep).replace(os.sep, "/")
                nested = "site-packages/" in relative or "dist-packages/" in relative
                if nested or not self.distributions:
                    return None
                return relative
        return None

    def owner(self, relative: str) -> Distribution | None:
        claims = self._claimants(relative.split("/", 1)[0])
        listing = [each for each in claims if relative in each.record]
        if len(listing) > 1:
            return self._judge(listing, relative)
        if listing:
            return listing[0]
        return _of_nearest_package(claims, relative) or self._of_top_level(relative)

    def owner_above(self, file: str) -> Distribution | None:
        relative = os.path.relpath(file, self.folder).replace(os.sep, "/")
        needle = b"\n" + relative.encode("utf-8", "surrogateescape") + b","
        return next((each for each, raw in self._records if needle in raw), None)

    def editables(self) -> Iterator[tuple[str, Distribution]]:
        """Folders and files outside that a development install puts on the search path, with who did."""
        for distribution, raw in self._records:
            targets = list(development.targets(self.folder, raw))
            origin = distribution.origin if not targets else None
            if origin is not None and origin.editable:
                targets = [_path_of(origin.url)]
            for target in targets:
                yield os.path.realpath(target), distribution
        for folder, info in development.egg_links(self.folder):
            described = _read_distribution(info)
            if described is not None:
                yield os.path.realpath(folder), described

    def _claimants(self, top: str) -> tuple[Distribution, ...]:
        if top not in self._claims:
            start = b"\n" + top.encode("utf-8", "surrogateescape")
            self._claims[top] = tuple(
                each
                for each, raw in self._records
                if start in raw and (start + b"/" in raw or start + b"," in raw)
            )
        return self._claims[top]

    def _judge(self, listing: Sequence[Distribution], relative: str) -> Distribution:
        """Two distributions list the file: it is of the one whose record fits what lies there.

        Where it fits both, the files on which their records differ tell whose were installed last;
        where those do not tell either, the one that requires the other is taken, because it brings
        both.
        """
        fitting = tuple(each for each in listing if self._fits(each, relative)) or tuple(listing)
        if fitting not in self._judged:
            self._judged[fitting] = max(fitting, key=lambda each: self._standing(each, fitting))
        return self._judged[fitting]

    def _standing(
        self, distribution: Distribution, rivals: Sequence[Distribution]
    ) -> tuple[int, int, str]:
        shared = set.intersection(*(set(each.record) for each in rivals))
        disputed = [path for path in shared if len({each.record[path] for each in rivals}) > 1]
        names = {each.name for each in rivals}
        required = sum(canonicalize_name(each.name) in names for each in distribution.requires)
        return sum(self._fits(distribution, path) for path in disputed), required, distribution.name

    def _fits(self, distribution: Distribution, relative: str) -> bool:
        recorded, size = distribution.record[relative]
        path = Path(self.folder, relative)
        try:
            if size and path.stat().st_size != int(size):
                return False
            return not recorded or recorded == _record_hash(path, recorded.partition("=")[0])
        except (OSError, ValueError):
            return False

    def _of_top_level(self, relative: str) -> Distribution | None:
        """For metadata without a list of files (Debian's, old eggs): by the top-level modules that it names."""
        top = relative.split("/", 1)[0].partition(".")[0]
        return next(
            (each for each in self.distributions if not each.record and top in each.top_level), None
        )


def is_metadata(file: str) -> bool:
    """Whether the file describes a distribution and is not part of it; who looks for plugins reads them all."""
    return Path(file).parent.suffix in METADATA_SUFFIXES


def _folders(sys_path: Sequence[str]) -> Iterator[str]:
    seen: set[str] = set()
    for entry in sys_path:
        real = os.path.realpath(entry)
        if entry and real not in seen and Path(entry).is_dir():
            seen.add(real)
            yield os.path.normpath(entry)


def _read_distribution(folder: Path) -> Distribution | None:
    """Name and version from the folder's name where it has them, else from the metadata; None for debris."""
    name, _, version = folder.name.rpartition(".")[0].partition("-")
    if folder.name.endswith(".dist-info") and name and version:
        if not (folder / "METADATA").is_file():
            return None
        return Distribution(folder=folder, name=canonicalize_name(name), version=version)
    try:
        metadata = Metadata(folder).metadata
    except FileNotFoundError:
        return None
    if not metadata.get("Name") or not metadata.get("Version"):
        return None
    return Distribution(
        folder=folder, name=canonicalize_name(metadata["Name"]), version=metadata["Version"]
    )


def _is_stale(distribution: Distribution) -> bool:
    """Whether what its record lists is gone or differs: left behind by an upgrade that was cut short."""
    site = _Site(str(distribution.folder.parent))
    listed = [
        path
        for path, (recorded, _) in distribution.record.items()
        if recorded.startswith("sha256=")
    ]
    code = [path for path in listed if path.endswith((".py", ".so", ".pyd"))] or listed
    return any(not site._fits(distribution, path) for path in code[:50])


def _requirement(line: str) -> Requirement | str:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return line


def _origin(text: str | None, path: Path) -> Origin | None:
    if not text:
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"is not JSON ({error})") from error
    if not isinstance(document, dict) or not isinstance(document.get("url"), str):
        raise damaged(path, "has no `url`")
    vcs, archive, folder = (
        document.get(key) or {} for key in ("vcs_info", "archive_info", "dir_info")
    )
    hashes = archive.get("hashes") or {}
    if "sha256" in hashes:
        digest = f"sha256:{hashes['sha256']}"
    else:
        digest = str(archive.get("hash", "")).replace("=", ":")
    return Origin(
        url=document["url"],
        vcs=vcs.get("vcs"),
        commit=vcs.get("commit_id"),
        editable=bool(folder.get("editable")),
        digest=digest or None,
        subdirectory=document.get("subdirectory"),
    )


def _raw_record(folder: Path) -> bytes:
    for name in ("RECORD", "installed-files.txt"):
        try:
            raw = (folder / name).read_bytes()
        except OSError:
            continue
        if name != "RECORD":
            return raw.replace(b"\n../", b"\n")
        return raw
    return b""


def _record_hash(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, algorithm).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _of_nearest_package(claims: Sequence[Distribution], relative: str) -> Distribution | None:
    """Who owns the package around a file that no record lists: a cache, something generated after the install."""
    folder = relative.rpartition("/")[0]
    while folder:
        owner = next((each for each in claims if f"{folder}/__init__.py" in each.record), None)
        if owner is not None:
            return owner
        folder = folder.rpartition("/")[0]
    return None


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _path_of(url: str) -> str:
    return unquote(urlsplit(url).path)
