"""One site folder: which of its distributions a file belongs to.

A file belongs to the distribution whose RECORD lists it ("Recording installed projects",
https://packaging.python.org/en/latest/specifications/recording-installed-packages/). Names decide
nothing, so namespace packages, modules named unlike their distribution and two providers of one
module need no table. Only the records that mention a used module are parsed: the cost grows with
what was imported, not with what is installed.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from envkit.installed import editable as development
from envkit.installed.distribution import METADATA_SUFFIXES, Distribution, read_distribution

CODE_SUFFIXES = (".py", ".so", ".pyd")
CHECKED_FILES = 50  # of a distribution that may be stale


class SiteFolder:
    """A folder of the search path, with the distributions whose metadata lie in it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._prefixes = tuple(dict.fromkeys([folder, os.path.realpath(folder)]))
        self._claims: dict[str, tuple[Distribution, ...]] = {}
        self._judged: dict[tuple[Distribution, ...], Distribution] = {}

    @cached_property
    def distributions(self) -> tuple[Distribution, ...]:
        """The distributions, sorted by their metadata folders."""
        entries = sorted(Path(self.folder).iterdir())
        infos = [path for path in entries if path.name.endswith(METADATA_SUFFIXES)]
        return tuple(filter(None, map(read_distribution, infos)))

    def relative(self, file: str) -> str | None:
        """The path below this folder, with `/`; None for files elsewhere and in nested sites."""
        for prefix in self._prefixes:
            if not is_below(file, prefix):
                continue
            relative = file.removeprefix(prefix).lstrip(os.sep).replace(os.sep, "/")
            is_nested = "site-packages/" in relative or "dist-packages/" in relative
            if is_nested or not self.distributions:
                return None
            return relative
        return None

    def owner(self, relative: str) -> Distribution | None:
        """The distribution that a file below this folder belongs to."""
        claims = self._claimants(relative.split("/", 1)[0])
        listing = [distribution for distribution in claims if relative in distribution.record]
        if len(listing) > 1:
            return self._judge(listing, relative)
        if listing:
            return listing[0]
        return _owner_of_package(claims, relative) or self._owner_by_top_level(relative)

    def owner_above(self, file: str) -> Distribution | None:
        """The distribution of a file outside, which its RECORD lists as `../../../share/…`."""
        relative = os.path.relpath(file, self.folder).replace(os.sep, "/")
        line_start = b"\n" + relative.encode("utf-8", "surrogateescape") + b","
        for distribution, record in self._records:
            if line_start in record:
                return distribution
        return None

    def editables(self) -> Iterator[tuple[str, Distribution]]:
        """Yield the folders and files outside that development installs add to the search path."""
        for distribution, record in self._records:
            targets = list(development.targets(self.folder, record))
            origin = distribution.origin if not targets else None
            if origin is not None and origin.editable:
                targets = [_path_of(origin.url)]
            for target in targets:
                yield os.path.realpath(target), distribution
        for folder, info in development.egg_links(self.folder):
            distribution_there = read_distribution(info)
            if distribution_there is not None:
                yield os.path.realpath(folder), distribution_there

    def is_stale(self, distribution: Distribution) -> bool:
        """Whether recorded files are gone or differ, because an upgrade was interrupted."""
        listed = [
            path
            for path, (recorded, _) in distribution.record.items()
            if recorded.startswith("sha256=")
        ]
        code = [path for path in listed if path.endswith(CODE_SUFFIXES)] or listed
        return any(not self._fits(distribution, path) for path in code[:CHECKED_FILES])

    @cached_property
    def _records(self) -> tuple[tuple[Distribution, bytes], ...]:
        """Each distribution with the text of its record, which is searched before it is parsed."""
        return tuple(
            (distribution, b"\n" + _raw_record(distribution.folder))
            for distribution in self.distributions
        )

    def _claimants(self, top: str) -> tuple[Distribution, ...]:
        """The distributions whose record has something below a top-level name."""
        if top not in self._claims:
            start = b"\n" + top.encode("utf-8", "surrogateescape")
            ends = (start + b"/", start + b",")
            self._claims[top] = tuple(
                distribution
                for distribution, record in self._records
                if start in record and any(end in record for end in ends)
            )
        return self._claims[top]

    def _judge(self, listing: Sequence[Distribution], relative: str) -> Distribution:
        """Decide between distributions that list the same file.

        It belongs to the one whose record fits the file. If it fits several, the files on which
        their records differ show which was installed last. If those do not show it either, the one
        that requires the others is taken, because it brings them.
        """
        fitting = [candidate for candidate in listing if self._fits(candidate, relative)]
        rivals = tuple(fitting or listing)
        if rivals not in self._judged:
            self._judged[rivals] = max(rivals, key=lambda rival: self._standing(rival, rivals))
        return self._judged[rivals]

    def _standing(
        self, distribution: Distribution, rivals: Sequence[Distribution]
    ) -> tuple[int, int, str]:
        """How well a distribution fits the disputed files, and how many rivals it requires."""
        records = [rival.record for rival in rivals]
        shared = set.intersection(*map(set, records))
        won = 0
        for path in shared:
            is_disputed = len({record[path] for record in records}) > 1
            won += is_disputed and self._fits(distribution, path)
        required = {canonicalize_name(line.name) for line in distribution.requires}
        names = {rival.name for rival in rivals}
        return won, len(required & names), distribution.name

    def _fits(self, distribution: Distribution, relative: str) -> bool:
        """Whether a file has the size and hash that the record of the distribution says."""
        recorded, size = distribution.record[relative]
        path = Path(self.folder, relative)
        try:
            if size and path.stat().st_size != int(size):
                return False
            algorithm = recorded.partition("=")[0]
            return not recorded or recorded == _record_hash(path, algorithm)
        except (OSError, ValueError):
            return False

    def _owner_by_top_level(self, relative: str) -> Distribution | None:
        """For metadata without a list of files (Debian's, old eggs): by top-level module."""
        module = relative.split("/", 1)[0].partition(".")[0]
        for distribution in self.distributions:
            if not distribution.record and module in distribution.top_level:
                return distribution
        return None


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    inside = folder.rstrip(os.sep) + os.sep
    return path == folder or path.startswith(inside)


def _owner_of_package(claims: Sequence[Distribution], relative: str) -> Distribution | None:
    """The owner of the package around a file that no record lists, such as a cache."""
    folder = relative.rpartition("/")[0]
    while folder:
        for distribution in claims:
            if f"{folder}/__init__.py" in distribution.record:
                return distribution
        folder = folder.rpartition("/")[0]
    return None


def _raw_record(folder: Path) -> bytes:
    for name in ("RECORD", "installed-files.txt"):
        try:
            raw = (folder / name).read_bytes()
        except OSError:
            continue
        # the second one is relative to the metadata folder
        return raw if name == "RECORD" else raw.replace(b"\n../", b"\n")
    return b""


def _record_hash(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, algorithm).digest()
    value = base64.urlsafe_b64encode(digest).rstrip(b"=")
    return f"{algorithm}={value.decode()}"


def _path_of(url: str) -> str:
    return unquote(urlsplit(url).path)
