"""Which conda package brought a file, by the records of its environment: `conda-meta/*.json`, one for each package.

conda, mamba and rattler write them alike: `name`, `version`, `build`, `channel`, `files` (paths
below the prefix) and `paths_data` with the hashes,
https://docs.conda.io/projects/conda/en/stable/dev-guide/api/conda/models/records/. Only the records
that name a wanted file are parsed, the others are searched as text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from envkit.errors import InvalidFile
from envkit.formats.credentials import without_credentials
from envkit.installed.distribution import Distribution

FOLDER = "conda-meta"
_SUBDIR = re.compile(r"/(?:noarch|(?:linux|osx|win|freebsd|zos|emscripten|wasi)-[a-z0-9_]+)$")
_CHANNEL = re.compile(rb'"channel"\s*:\s*"([^"]*)"')


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaPackage:
    """A conda package that is installed; channel as `conda.yaml` names it, without credentials."""

    name: str
    version: str
    build: str
    channel: str

    @property
    def spec(self) -> str:
        """As a line of `conda.yaml`: without its build, which is of one platform alone."""
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
    """The environment of conda in a folder. Records that cannot be read raise `InvalidFile`."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self._prefixes = tuple(dict.fromkeys((f"{prefix}/", f"{prefix.resolve()}/")))
        self._raw: dict[Path, bytes] = {}
        self._records: dict[Path, Mapping[str, Any]] = {}

    @classmethod
    def of(cls, executable: str) -> CondaPrefix | None:
        """The environment that an interpreter is of; None for any other, also for a venv on conda's Python."""
        prefix = Path(executable).parent.parent
        if (prefix / FOLDER).is_dir():
            return cls(prefix)
        return None

    @classmethod
    def around(cls, distribution: Distribution) -> CondaPrefix | None:
        """The environment in which a distribution lies."""
        return next(
            (cls(each) for each in distribution.folder.parents if (each / FOLDER).is_dir()), None
        )

    def below(self, file: str) -> str:
        """The path of a file as seen from the prefix; what lies elsewhere stays as it is."""
        return next((file[len(each) :] for each in self._prefixes if file.startswith(each)), file)

    def owner(self, file: str) -> CondaPackage | None:
        """The package that brought a file (an absolute path); None for what lies elsewhere or came otherwise."""
        below = self.below(file)
        if below == file:
            return None
        return next((_package(record) for record in self._listing(below)), None)

    def brought(self, distribution: Distribution) -> CondaPackage | None:
        """The package that brought a distribution; None where pip or another installed it, also over conda's."""
        info = f"{distribution.folder.parent}/{distribution.folder.name}"
        below = self.below(info)
        if below == info:
            return None
        for record in self._listing(
            f"{below}/METADATA", like=f"{distribution.name}-{distribution.version}-"
        ):
            if distribution.installer == "conda" or self._is_untouched(record, below, distribution):
                return _package(record)
        return None

    @property
    def channels(self) -> tuple[str, ...]:
        """Where the packages came from, the most used channel first; empty where the records do not say."""
        found = Counter(channel(text) for text in self._channels())
        return tuple(sorted(filter(None, found), key=lambda each: (-found[each], each)))

    def _channels(self) -> Iterator[str]:
        for path in self._paths:
            if named := _CHANNEL.search(self._text(path)):
                yield named[1].decode("utf-8", "replace")

    @cached_property
    def _paths(self) -> tuple[Path, ...]:
        return tuple(sorted((self.prefix / FOLDER).glob("*.json")))

    def _text(self, path: Path) -> bytes:
        if path not in self._raw:
            self._raw[path] = path.read_bytes()
        return self._raw[path]

    def _listing(self, below: str, like: str = "\0") -> Iterator[Mapping[str, Any]]:
        """The records that list a path below the prefix, first those that are named as expected."""
        needles = {json.dumps(below, ensure_ascii=plain).encode() for plain in (True, False)}
        for path in sorted(self._paths, key=lambda each: not each.name.startswith(like)):
            if any(needle in self._text(path) for needle in needles):
                record = self._record(path)
                if below in record.get("files", ()):
                    yield record

    def _record(self, path: Path) -> Mapping[str, Any]:
        if path not in self._records:
            try:
                record = json.loads(self._text(path))
                self._records[path] = {
                    **record,
                    "name": str(record["name"]),
                    "version": str(record["version"]),
                }
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise InvalidFile(
                    path, "", "is no record of a conda package", "Install it anew."
                ) from error
        return self._records[path]

    def _is_untouched(
        self, record: Mapping[str, Any], info: str, distribution: Distribution
    ) -> bool:
        """Whether the metadata is that of the package: an installer that comes later writes its own list of files."""
        paths = (record.get("paths_data") or {}).get("paths", ())
        known: Mapping[str, Any] = next(
            (each for each in paths if each.get("_path") == f"{info}/RECORD"), {}
        )
        digest = str(known.get("sha256_in_prefix") or known.get("sha256") or "")
        if not digest:
            return distribution.installer is None
        try:
            return (
                hashlib.sha256((distribution.folder / "RECORD").read_bytes()).hexdigest() == digest
            )
        except OSError:
            return False


def channel(url: str) -> str:
    """`conda-forge` for what conda finds by that name, else the URL, both without platform, login and token.

    Empty for a package that was installed from a file of its own.
    """
    if not url or url.startswith("<"):
        return ""
    bare = without_credentials(re.sub(r"/t/[^/]+(?=/)", "", url)).rstrip("/")
    return re.sub(r"^https?://conda\.anaconda\.org/", "", _SUBDIR.sub("", bare))


def _package(record: Mapping[str, Any]) -> CondaPackage:
    return CondaPackage(
        name=record["name"],
        version=record["version"],
        build=str(record.get("build", "")),
        channel=channel(str(record.get("channel") or "")),
    )
