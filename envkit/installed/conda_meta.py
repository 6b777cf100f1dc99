"""Read conda's records of installed packages, `conda-meta/*.json`, with paths as installed.

conda, mamba and rattler write one record for each package: `name`, `version`, `build`, `channel`,
`files` (paths below the prefix) and `paths_data` with the hashes,
https://docs.conda.io/projects/conda/en/stable/dev-guide/api/conda/models/records/.

The paths in `paths_data` of a `noarch: python` package are those of its archive when conda wrote
the record (`site-packages/…`, `python-scripts/…`), and those below the prefix when rattler or mamba
did (`lib/python3.11/site-packages/…`, `bin/…`). All readers of records get the latter,
https://docs.conda.io/projects/conda-build/en/stable/resources/define-metadata.html#noarch-python.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from envkit.errors import InvalidFile

FOLDER = "conda-meta"
_SITE = "site-packages/"
_SCRIPTS = "python-scripts/"
_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)

Record = dict[str, Any]
"""A file of `conda-meta`, or one entry of its `paths_data`."""


class CondaMeta:
    """The records of one environment."""

    def __init__(self, environment: Path) -> None:
        self.environment = environment

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The files, sorted by name."""
        return tuple(sorted((self.environment / FOLDER).glob("*.json")))

    def sound(self) -> Iterator[Record]:
        """Yield the records; damaged ones are passed over."""
        for path in self.paths:
            try:
                yield self.read(path)
            except InvalidFile:
                continue

    def read(self, path: Path) -> Record:
        """Read a record. Raises `InvalidFile`."""
        try:
            text = path.read_bytes()
        except OSError as error:
            raise InvalidFile(path, "", f"cannot be read ({error.strerror})") from error
        return self.parse(text, path)

    def parse(self, text: bytes, path: Path) -> Record:
        """Do what `read` does for a text that was read before. Raises `InvalidFile`."""
        try:
            record: Record = json.loads(text)
            for key in ("name", "version"):
                record[key] = str(record[key])
            self._lay_out(record)
        except _DAMAGE as error:
            problem = "is not the record of a conda package"
            raise InvalidFile(path, "", problem, "Reinstall the package.") from error
        return record

    def _lay_out(self, record: Record) -> None:
        """Give the entries of `paths_data` the paths as installed, and list these in `files`."""
        files = record.get("files") or []
        entries = entries_of(record)
        # a file that is listed has its path as installed
        others = _paths_except(entries, files)
        if others and (files or _is_noarch_python(record)):
            site = _site_among(files, others) or self.site_packages
            for entry in entries:
                if entry["_path"] in others:
                    entry["_path"] = _as_installed(entry["_path"], site)
        record["files"] = files or [entry["_path"] for entry in entries]

    @cached_property
    def site_packages(self) -> str:
        """Where this environment's Python has packages, below the prefix; "" without Python."""
        for path in self.paths:
            if path.name.startswith("python-"):
                record = json.loads(path.read_bytes())
                if record.get("name") == "python":
                    return _site_of_python(record)
        return ""


def entries_of(record: Record) -> list[Record]:
    """Return the entries of a record's `paths_data`; some packages have none."""
    entries: list[Record] = (record.get("paths_data") or {}).get("paths") or []
    return entries


def digest_of(entry: Record) -> str:
    """Return the SHA-256 of a file as it was installed; "" where that is not known."""
    if entry.get("sha256_in_prefix"):
        return str(entry["sha256_in_prefix"])
    if entry.get("prefix_placeholder"):
        # `sha256` is that of the file before conda changed it
        return ""
    return str(entry.get("sha256") or "")


def _paths_except(entries: Iterable[Record], files: Iterable[str]) -> frozenset[str]:
    listed = set(files)
    return frozenset(entry["_path"] for entry in entries if entry["_path"] not in listed)


def _is_noarch_python(record: Record) -> bool:
    return record.get("noarch") == "python" or record.get("package_type") == "noarch_python"


def _site_among(files: Iterable[str], archived: Iterable[str]) -> str:
    """Find where `site-packages` of an archive was laid, by a file that is listed as installed."""
    example = next((path for path in archived if path.startswith(_SITE)), None)
    if example is None:
        return ""
    for file in files:
        if file.endswith(f"/{example}"):
            return file.removesuffix(example) + _SITE.rstrip("/")
    return ""


def _site_of_python(record: Record) -> str:
    named = record.get("python_site_packages_path")  # CEP 17: of builds without the GIL
    if isinstance(named, str) and named:
        return named.rstrip("/")
    minor = ".".join(str(record["version"]).split(".")[:2])
    return f"lib/python{minor}/site-packages"


def _as_installed(path: str, site: str) -> str:
    if path.startswith(_SITE) and site:
        return f"{site}/{path.removeprefix(_SITE)}"
    if path.startswith(_SCRIPTS):
        return f"bin/{path.removeprefix(_SCRIPTS)}"
    return path
