"""`pixi.lock`: the exact conda packages of an environment, with digests. py-rattler writes it.

The format (https://pixi.sh/latest/workspace/lockfile/) contains environments of several platforms;
a model has one, `default`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from envkit.formats.document import Document

FILE_NAME = "pixi.lock"


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedCondaPackage:
    """A conda package: its URL, and the digests of its archive, in hexadecimal digits or empty."""

    url: str
    sha256: str = ""
    md5: str = ""

    @property
    def name(self) -> str:
        """The package's name, which its file name begins with."""
        return self._parts[0].lower()

    @property
    def version(self) -> str:
        """Its version; empty when the file name has none."""
        return self._parts[1]

    @property
    def build(self) -> str:
        """Its build string; empty when the file name has none."""
        return self._parts[2].removesuffix(".conda").removesuffix(".tar.bz2")

    @property
    def _parts(self) -> tuple[str, str, str]:
        parts = unquote(self.url.rpartition("/")[2]).rsplit("-", 2)
        name, version, build = (*parts, "", "")[:3]
        return name, version, build

    @property
    def explicit(self) -> str:
        """A line of an explicit list, https://docs.conda.io/projects/conda/en/stable/."""
        return f"{self.url}#{self.md5 or self.sha256}"


def read(path: Path, platform: str) -> tuple[LockedCondaPackage, ...]:
    """Give the conda packages for a platform (`linux-64`); none when the lock is for others.

    Raises `InvalidFile`.
    """
    document = Document.load(path)
    default = document.mapping("environments").mapping("default").mapping("packages")
    if platform not in default.content:
        return ()
    facts_by_place = {
        str(entry.get("conda")): entry
        for entry in document.items("packages")
        if isinstance(entry, dict)
    }
    packages = []
    for entry in default.items(platform):
        if isinstance(entry, dict) and entry.get("conda") is not None:
            place = str(entry["conda"])
            packages.append(_package(path, place, facts_by_place.get(place, {})))
    return tuple(packages)


def _package(path: Path, place: str, facts: dict[str, object]) -> LockedCondaPackage:
    if "://" in place:
        url = place
    else:
        url = (path.parent / place).resolve().as_uri()
    return LockedCondaPackage(
        url=url, sha256=str(facts.get("sha256", "")), md5=str(facts.get("md5", ""))
    )
