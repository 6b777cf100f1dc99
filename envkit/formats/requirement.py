"""One requirement, as a requirements file states it. Whoever needs a part of it asks this value.

https://packaging.python.org/en/latest/specifications/dependency-specifiers/ (PEP 508), and what pip
accepts in its place: paths and bare URLs.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.requirements import Requirement as Pep508
    from packaging.specifiers import SpecifierSet

FILE_NAME = "requirements.txt"

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_NAMED = re.compile(rf"(?P<name>{_NAME})\s*(?:\[(?P<extras>[^\]]*)\])?\s*(?=$|[<>=!~(;@])")
_PLAIN_PIN = re.compile(rf"{_NAME}==(?P<version>\d+(?:\.\d+)*)")
_EGG = re.compile(rf"[#&]egg=(?P<name>{_NAME})")
_SCHEME = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://|file:)")
_REPOSITORY = re.compile(r"(?:git|hg|bzr|svn)\+")
_ARCHIVE = re.compile(
    r"\.(?:whl|zip|tar|tar\.gz|tgz|tar\.bz2|tbz|tar\.xz|txz|tlz|tar\.lz|tar\.lzma)$", re.IGNORECASE
)
_EXTRAS_OF_PATH = re.compile(r"(?<!\s)\s*\[[\w\s,.-]*\]$")
_MARKER_OF_PATH = re.compile(r"\s;|;\s")
_PLACEHOLDER = re.compile(r"\$\{([A-Z0-9_]+)\}")
_CONDA_BUILD = re.compile(r"/croots?/|/feedstock_root/|/conda-bld/|/_h_env_placehold")


class RequirementOrigin(StrEnum):
    """Where an installer gets what a requirement names."""

    INDEX = "index"
    ARCHIVE = "archive"
    REPOSITORY = "repository"
    PATH = "path"


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One requirement or constraint.

    Making one costs nothing: each part is parsed when it is first asked for, and once. What
    `packaging` parses is `pep508` and the properties that say so; importing it takes 13 ms, which a
    prediction in a ready environment does without.

    text: as written, without options and comment. hashes: `sha256:…`. options: for this requirement
    alone, ready to be written, as `--config-settings=k=v`. file, line: where it begins; line counts
    from 1.
    """

    text: str
    hashes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    editable: bool = False
    file: Path = Path(FILE_NAME)
    line: int = 0

    def __str__(self) -> str:
        """Give it as one line of a requirements file."""
        first = f"-e {self.text}" if self.editable else self.text
        return " ".join([first, *self.options, *(f"--hash={digest}" for digest in self.hashes)])

    @cached_property
    def name(self) -> str | None:
        """The normalized name (PEP 503); None for a path, or a URL without `#egg=`."""
        if is_url(self.text):
            found = _EGG.search(self.text)
        else:
            found = _NAMED.match(self.text)
        if found is None or self._is_archive_file():
            return None
        return normalized(found["name"])

    @cached_property
    def distribution(self) -> str | None:
        """The normalized name of what it installs: its `name`, or that in the name of its file."""
        if self.name is not None:
            return self.name
        if self.origin not in (RequirementOrigin.PATH, RequirementOrigin.ARCHIVE):
            return None
        # wheels and source distributions are called `name-version…`
        name = self._file_name().partition("-")[0]
        return normalized(name) or None

    @cached_property
    def extras(self) -> tuple[str, ...]:
        """The extras of a named requirement, as written."""
        named = _NAMED.match(self.text)
        if named is None or not named["extras"]:
            return ()
        return tuple(extra.strip() for extra in named["extras"].split(",") if extra.strip())

    @cached_property
    def url(self) -> str | None:
        """The URL that it names in place of a version, as `git+https://…@commit`.

        None for others.
        """
        reference = self._direct_reference()
        if reference is not None:
            return reference.split()[0] if reference.strip() else None
        if is_url(self.text):
            return _EXTRAS_OF_PATH.sub("", self.text.split()[0])
        return None

    @cached_property
    def path(self) -> str | None:
        """The path that it names, without extras and marker; None for a name or a URL."""
        without_marker = _MARKER_OF_PATH.split(self.text, maxsplit=1)[0].strip()
        bare = _EXTRAS_OF_PATH.sub("", without_marker)
        if is_url(bare) or self._direct_reference() is not None:
            return None
        looks_like_path = (
            self.editable
            or bare.startswith(".")
            or "/" in bare.partition("@")[0]
            or _ARCHIVE.search(bare) is not None
        )
        if looks_like_path:
            return bare
        return None

    def local_path(self, directory: Path) -> Path | None:
        """The file or folder that a path or a `file:` URL names.

        Relative ones start in `directory`.
        """
        if self.path is not None:
            place = self.path
        elif self.url is not None and self.url.startswith("file:"):
            place = unquote(urlsplit(self.url).path)
        else:
            return None
        return Path(os.path.normpath(directory / place))

    @property
    def origin(self) -> RequirementOrigin:
        """Where an installer gets it; a `file:` URL counts as an archive."""
        if self.path is not None:
            return RequirementOrigin.PATH
        if self.url is None:
            return RequirementOrigin.INDEX
        if _REPOSITORY.match(self.url):
            return RequirementOrigin.REPOSITORY
        return RequirementOrigin.ARCHIVE

    @cached_property
    def wheel(self) -> tuple[str, str] | None:
        """Name and version in the file name of the wheel that it names (parsed by `packaging`)."""
        file_name = self._file_name()
        if not file_name.lower().endswith(".whl"):
            return None
        from packaging.utils import InvalidWheelFilename, parse_wheel_filename

        try:
            name, version, _, _ = parse_wheel_filename(file_name)
        except InvalidWheelFilename:
            return None
        return name, str(version)

    @cached_property
    def pep508(self) -> Pep508 | None:
        """As `packaging` parses it; None for a path, a bare URL, and what is not a requirement."""
        return _parsed(self.text)

    @property
    def marker(self) -> Marker | None:
        """The environments in which it holds (parsed by `packaging`); None for all."""
        if self.pep508 is None:
            return None
        return self.pep508.marker

    @property
    def specifier(self) -> SpecifierSet:
        """The versions that it admits (parsed by `packaging`); for a path or URL it admits all."""
        from packaging.specifiers import SpecifierSet

        if self.pep508 is None:
            return SpecifierSet()
        return self.pep508.specifier

    @cached_property
    def version(self) -> str | None:
        """The one version that it admits, pinned or in the file name of a wheel.

        None for several.
        """
        plain = _PLAIN_PIN.fullmatch(self.text)
        if plain is not None:
            return plain["version"]
        for clause in self.specifier:
            if clause.operator in ("==", "===") and not clause.version.endswith(".*"):
                return clause.version
        if self.wheel is not None:
            return self.wheel[1]
        return None

    @property
    def is_pin(self) -> bool:
        """Whether it is `name==version`, possibly with extras, and nothing else."""
        if _PLAIN_PIN.fullmatch(self.text):
            return True
        if self.pep508 is None or self.url is not None:
            return False
        return self.version is not None and self.marker is None and len(self.specifier) == 1

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the environment variables that pip would put in the place of `${NAME}`."""
        return tuple(_PLACEHOLDER.findall(self.text))

    @property
    def is_valid(self) -> bool:
        """Whether an installer accepts it, as far as no environment variable decides that."""
        if self.path is not None or is_url(self.text) or self.placeholders:
            return True
        # most lines are plain pins, which need no `packaging`
        return _PLAIN_PIN.fullmatch(self.text) is not None or self.pep508 is not None

    def _is_archive_file(self) -> bool:
        """Whether the text begins like a name and is the path of a file: `thing-1.0.zip`."""
        if is_url(self.text) or self._direct_reference() is not None:
            return False
        has_versions_or_marker = re.search(r"[<>=!~;(]", self.text) is not None
        return not has_versions_or_marker and _ARCHIVE.search(self.text) is not None

    def _file_name(self) -> str:
        """The name of the file or folder that it names by path or URL."""
        place = (self.path or self.url or "").partition("#")[0].partition("?")[0]
        return unquote(place.rpartition("/")[2])

    def _direct_reference(self) -> str | None:
        """What follows the `@` of `name @ place`."""
        named = _NAMED.match(self.text)
        if named is None:
            return None
        rest = self.text[named.end() :]
        if not rest.startswith("@"):
            return None
        return rest[1:]


def normalized(name: str) -> str:
    """Give a name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_conda_build_folder(place: str) -> bool:
    """Whether conda built a package in this folder, which `pip freeze` names later."""
    return _CONDA_BUILD.search(place) is not None


def is_url(text: str) -> bool:
    """Whether a text is a URL, also of version control."""
    return _SCHEME.match(text) is not None


# the same line stands in several files, and in many models
@lru_cache(maxsize=4096)
def _parsed(text: str) -> Pep508 | None:
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Pep508
    from packaging.utils import InvalidName, canonicalize_name

    try:
        parsed = Pep508(text)
        canonicalize_name(parsed.name, validate=True)
    except (InvalidRequirement, InvalidName, RecursionError):
        # RecursionError: brackets in brackets in a marker
        return None
    return parsed
