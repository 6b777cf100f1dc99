"""`pixi.lock`: the conda packages of an environment, exactly, with digests. Written by py-rattler, read here too.

The format (https://pixi.sh/latest/workspace/lockfile/) holds environments of several platforms; a
model has one, `default`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from envkit.formats.document import Document

FILE_NAME = "pixi.lock"


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedCondaPackage:
    """A conda package: its URL, and what its archive's digests must be, in hexadecimal digits or empty."""

    url: str
    sha256: str = ""
    md5: str = ""

    @property
    def name(self) -> str:
        """The package's name, as its file bears it."""
        return self.url.rpartition("/")[2].rsplit("-", 2)[0].lower()

    @property
    def explicit(self) -> str:
        """As a line of a list that conda installs as it is: https://docs.conda.io/projects/conda/en/stable/."""
        return f"{self.url}#{self.md5 or self.sha256}"


def read(path: Path, platform: str) -> tuple[LockedCondaPackage, ...]:
    """Give the conda packages for a platform (`linux-64`); none when the lock is for others. Raises `InvalidFile`."""
    document = Document.load(path)
    default = document.mapping("environments").mapping("default").mapping("packages")
    if platform not in default.content:
        return ()
    wanted = [each.get("conda") for each in default.items(platform) if isinstance(each, dict)]
    known = {
        str(each.get("conda")): each
        for each in document.items("packages")
        if isinstance(each, dict)
    }
    return tuple(
        _package(path, str(each), known.get(str(each), {})) for each in wanted if each is not None
    )


def _package(path: Path, where: str, facts: dict[str, object]) -> LockedCondaPackage:
    if "://" in where:
        url = where
    else:
        url = (path.parent / where).resolve().as_uri()
    return LockedCondaPackage(
        url=url, sha256=str(facts.get("sha256", "")), md5=str(facts.get("md5", ""))
    )
