"""Which conda package a file belongs to, by the records of its environment, `conda-meta/*.json`.

The records are searched as text, and only those that have a wanted file are parsed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from envkit.errors import InvalidFile
from envkit.formats import condarc
from envkit.formats.condarc import Condarc
from envkit.formats.credentials import without_credentials
from envkit.installed import conda_meta
from envkit.installed.conda_meta import FOLDER, CondaMeta, Record
from envkit.installed.distribution import Distribution

TOKEN = re.compile(r"/t/[^/]+(?=/)")
_SUBDIR = re.compile(r"/(?:noarch|(?:linux|osx|win|freebsd|zos|emscripten|wasi)-[a-z0-9_]+)$")
_CHANNEL = re.compile(rb'"channel"\s*:\s*"([^"]*)"')


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaPackage:
    """An installed conda package.

    Attributes:
        name: The name.
        version: The version.
        build: The build string.
        channel: The channel as in `conda.yaml`, without credentials.
    """

    name: str
    version: str
    build: str
    channel: str

    @property
    def spec(self) -> str:
        """As a line of `conda.yaml`: without its build, which is for one platform only."""
        return f"{self.name}={self.version}"

    def as_json(self) -> dict[str, str]:
        """As a JSON object."""
        return {
            "name": self.name,
            "version": self.version,
            "build": self.build,
            "channel": self.channel,
        }


class CondaPrefix:
    """A folder with a conda environment. A record that cannot be read raises `InvalidFile`."""

    def __init__(self, prefix: Path, settings: Condarc | None = None) -> None:
        self.prefix = prefix
        self._own_settings = settings
        self._prefixes = (f"{prefix}/", f"{prefix.resolve()}/")
        self._meta = CondaMeta(prefix)
        self._texts: dict[Path, bytes] = {}
        self._records: dict[Path, Record] = {}

    @classmethod
    def of(cls, executable: str) -> CondaPrefix | None:
        """The environment of an interpreter; None if it is not conda's, or a venv on such a one."""
        prefix = Path(executable).parent.parent
        if (prefix / FOLDER).is_dir():
            return cls(prefix)
        return None

    @classmethod
    def around(cls, distribution: Distribution) -> CondaPrefix | None:
        """The environment that a distribution lies in."""
        for folder in distribution.folder.parents:
            if (folder / FOLDER).is_dir():
                return cls(folder)
        return None

    def below(self, file: str) -> str:
        """The path relative to the prefix; unchanged for a file that is elsewhere."""
        for prefix in self._prefixes:
            if file.startswith(prefix):
                return file.removeprefix(prefix)
        return file

    def owner(self, file: str) -> CondaPackage | None:
        """The package that a file (an absolute path) belongs to."""
        below = self.below(file)
        if below == file:
            return None
        for record in self._records_with(below):
            return _package(record, self._settings)
        return None

    def brought(self, distribution: Distribution) -> CondaPackage | None:
        """The package that a distribution belongs to; None if pip or another installed it since."""
        info = f"{distribution.folder.parent}/{distribution.folder.name}"
        below = self.below(info)
        if below == info:
            return None
        likely = f"{distribution.name}-{distribution.version}-"
        for record in self._records_with(f"{below}/METADATA", likely):
            if distribution.installer == "conda" or self._is_untouched(record, below, distribution):
                return _package(record, self._settings)
        return None

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels of the packages, the most used one first; empty if no record has one."""
        names = filter(None, (channel(url, self._settings) for url in self._channels()))
        # of two that are used as often, the first by name
        counts = Counter(sorted(names))
        return tuple(name for name, _ in counts.most_common())

    @cached_property
    def _settings(self) -> Condarc:
        """The settings of the conda that the environment belongs to, where names lead."""
        if self._own_settings is not None:
            return self._own_settings
        try:
            return condarc.of_machine(os.environ, Path.home(), installation(self.prefix))
        except InvalidFile:
            # conda itself does not start with these; the URLs are right without them
            return Condarc()

    def _channels(self) -> Iterator[str]:
        for path in self._meta.paths:
            match = _CHANNEL.search(self._text(path))
            if match is not None:
                yield match[1].decode("utf-8", "replace")

    def _text(self, path: Path) -> bytes:
        if path not in self._texts:
            self._texts[path] = path.read_bytes()
        return self._texts[path]

    def _records_with(self, below: str, likely: str = "\0") -> Iterator[Record]:
        """Yield the records that list a path; first those whose file names begin as is `likely`."""
        spellings = _spellings(below)
        for path in sorted(self._meta.paths, key=lambda path: not path.name.startswith(likely)):
            text = self._text(path)
            if any(spelling in text for spelling in spellings):
                record = self._record(path)
                if below in record["files"]:
                    yield record

    def _record(self, path: Path) -> Record:
        if path not in self._records:
            self._records[path] = self._meta.parse(self._text(path), path)
        return self._records[path]

    def _is_untouched(
        self,
        record: Record,
        info: str,
        distribution: Distribution,
    ) -> bool:
        """Whether the metadata are still the package's; another installer rewrites its RECORD."""
        digest = _digest_of(f"{info}/RECORD", record)
        if not digest:
            return distribution.installer is None
        try:
            content = (distribution.folder / "RECORD").read_bytes()
        except OSError:
            return False
        return hashlib.sha256(content).hexdigest() == digest


def installation(prefix: Path) -> Path | None:
    """Return the folder of the conda that an environment belongs to; None if it is elsewhere."""
    for folder in (prefix, prefix.parent.parent):
        if (folder / "condabin").is_dir() or (folder / "bin" / "conda").exists():
            return folder
    return None


def channel(url: str, settings: Condarc) -> str:
    """Return `conda-forge` for a channel that has a name, as `conda env export` does, else the URL.

    Platform, login and token are left out. A package that was installed from a file has no channel:
    an empty text.
    """
    if not url or url.startswith("<"):
        return ""
    bare = _SUBDIR.sub("", without_credentials(TOKEN.sub("", url)).rstrip("/"))
    if "://" not in bare:
        return bare
    return settings.name_of(bare) or bare


def _spellings(below: str) -> frozenset[bytes]:
    """Return how a record may spell a path: non-ASCII characters escaped or not, or as archived."""
    first, site, rest = below.partition("site-packages/")
    paths = [below]
    if first and site:
        paths.append(site + rest)
    spellings = set()
    for path in paths:
        for ascii_only in (False, True):
            spellings.add(json.dumps(path, ensure_ascii=ascii_only).encode())
    return frozenset(spellings)


def _digest_of(path: str, record: Record) -> str:
    """The recorded SHA-256 of a file as it was installed."""
    for entry in conda_meta.entries_of(record):
        if entry["_path"] == path:
            return conda_meta.digest_of(entry)
    return ""


def _package(record: Record, settings: Condarc) -> CondaPackage:
    return CondaPackage(
        name=record["name"],
        version=record["version"],
        build=str(record.get("build", "")),
        channel=channel(str(record.get("channel") or ""), settings),
    )
