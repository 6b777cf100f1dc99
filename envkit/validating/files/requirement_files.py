"""The requirements files of a model, read with all that is wrong in them told, not just the first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Pep508
from packaging.specifiers import SpecifierSet
from packaging.utils import (
    InvalidName,
    InvalidWheelFilename,
    canonicalize_name,
    parse_wheel_filename,
)

from envkit.errors import InvalidFile
from envkit.formats.credentials import without_credentials
from envkit.formats.requirement_lines import Entry, Option, Reference, Requirement, is_url, parse
from envkit.formats.text import read_text

MAX_FILES = 200  # that are read, one that is referred to twice counted twice
MAX_SHOWN = 200  # characters of a line


@dataclass(frozen=True, kw_only=True)
class Line:
    """One requirement or constraint where it stands. file: relative to the model."""

    requirement: Requirement
    file: str
    constraint: bool

    @property
    def line(self) -> int:
        """Counted from 1."""
        return self.requirement.line

    @property
    def shown(self) -> str:
        """The text without credentials, and not at any length."""
        text = without_credentials(self.requirement.text)
        if len(text) <= MAX_SHOWN:
            return text
        return f"{text[:MAX_SHOWN]}…"

    @cached_property
    def parsed(self) -> Pep508 | None:
        """As PEP 508 has it; None for a path, a bare URL, and what is no requirement."""
        return _parsed(self.requirement.text)

    @cached_property
    def name(self) -> str | None:
        """The normalised name, that in a wheel's file name too."""
        known = self.requirement.name or (
            canonicalize_name(self.parsed.name) if self.parsed else None
        )
        return known or (self._wheel[0] if self._wheel else None)

    @property
    def marker(self) -> Marker | None:
        """Where it holds; None for everywhere."""
        if self.parsed:
            return self.parsed.marker
        return None

    @property
    def specifier(self) -> SpecifierSet:
        """The versions that it admits."""
        if self.parsed:
            return self.parsed.specifier
        return SpecifierSet()

    @property
    def url(self) -> str | None:
        """The URL that it names in place of a version."""
        if self.parsed is not None and self.parsed.url:
            return self.parsed.url
        text = self.requirement.text
        if is_url(text):
            return text
        return None

    @cached_property
    def version(self) -> str | None:
        """The one version that it admits, as text; None when there are several."""
        for each in self.specifier:
            if each.operator in ("==", "===") and not each.version.endswith(".*"):
                return each.version
        if self._wheel:
            return self._wheel[1]
        return None

    @cached_property
    def _wheel(self) -> tuple[str, str] | None:
        place = (self.url or self.requirement.path or "").partition("#")[0].partition("?")[0]
        if not place.endswith(".whl"):
            return None
        try:
            name, version, _, _ = parse_wheel_filename(place.rpartition("/")[2].replace("%2B", "+"))
        except InvalidWheelFilename:
            return None
        return name, str(version)


@lru_cache(maxsize=4096)  # the same line stands in several files, and in many models
def _parsed(text: str) -> Pep508 | None:
    try:
        found = Pep508(text)
        canonicalize_name(found.name, validate=True)
    except (InvalidRequirement, InvalidName, RecursionError):  # brackets in brackets in a marker
        return None
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """A file that cannot be read as what it is. field: the key or line."""

    file: str
    field: str
    problem: str
    hint: str = ""

    def error(self, folder: Path) -> InvalidFile:
        """As it is raised by who needs the file. folder: the one that it lies in."""
        return InvalidFile(folder / self.file, self.field, self.problem, self.hint)


@dataclass(frozen=True, kw_only=True, slots=True)
class BadReference:
    """A `-r` or `-c` that cannot be followed. problem: to follow the reference as written."""

    file: str
    line: int
    reference: str
    problem: str


@dataclass(kw_only=True, slots=True)
class RequirementFiles:
    """What was found in a file and those that it refers to."""

    lines: list[Line] = field(default_factory=list)
    options: list[tuple[str, Option]] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    bad: list[BadReference] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    count: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether all that belongs to it could be read."""
        return not self.bad and not self.broken

    def names(self, *, constraint: bool) -> dict[str, Line]:
        """The first line of each name."""
        found: dict[str, Line] = {}
        for each in self.lines:
            if each.name is not None and each.constraint is constraint:
                found.setdefault(each.name, each)
        return found


def broken(error: InvalidFile, model: Path) -> Broken:
    """Give what an error says, with the file as seen from the model."""
    return Broken(
        file=relative(Path(error.path), model),
        field=error.where,
        problem=error.problem,
        hint=error.hint,
    )


def relative(path: Path, model: Path) -> str:
    """A path as seen from the model; as it is when it lies elsewhere."""
    if path.is_relative_to(model):
        return path.relative_to(model).as_posix()
    return str(path)


def read(path: Path, model: Path) -> RequirementFiles:
    """Read a file and those that it refers to, within the model."""
    found = RequirementFiles()
    _follow(path, model, found, constraint=False, chain=())
    return found


def read_lines(lines: tuple[str, ...], path: Path, model: Path, text: str = "") -> RequirementFiles:
    """As `read`, for lines that stand in another kind of file; in a YAML file with this text their places are told."""
    found = RequirementFiles()
    _add_text("\n".join(lines), path, model, found, constraint=False, chain=(path.resolve(),))
    file, at = relative(path, model), _places(lines, text)
    found.lines = [
        replace(each, requirement=replace(each.requirement, line=at.get(each.line, 0)))
        if each.file == file
        else each
        for each in found.lines
    ]
    found.options = [
        (of, replace(each, line=at.get(each.line, 0)) if of == file else each)
        for of, each in found.options
    ]
    found.bad = [
        replace(each, line=at.get(each.line, 0)) if each.file == file else each
        for each in found.bad
    ]
    return found


def _places(lines: tuple[str, ...], text: str) -> dict[int, int]:
    """Where in a YAML text the items stand, by the number that they have as lines of their own."""
    items = [line.strip().removeprefix("- ").strip("'\"") for line in text.splitlines()]
    numbers = {item: number for number, item in reversed(list(enumerate(items, 1)))}
    found: dict[int, int] = {}
    count = 1
    for line in map(str.strip, lines):
        inside = (number for number, item in enumerate(items, 1) if line in item)
        found[count] = numbers.get(line) or next(inside, 0)
        count += line.count("\n") + 1
    return found


def _follow(
    path: Path, model: Path, found: RequirementFiles, *, constraint: bool, chain: tuple[Path, ...]
) -> None:
    found.read.add(relative(path, model))
    found.count += 1
    try:
        text = read_text(path, declared=True)
    except InvalidFile as error:
        found.broken.append(broken(error, model))
        return
    _add_text(text, path, model, found, constraint=constraint, chain=(*chain, path.resolve()))


def _add_text(
    text: str,
    path: Path,
    model: Path,
    found: RequirementFiles,
    *,
    constraint: bool,
    chain: tuple[Path, ...],
) -> None:
    file = relative(path, model)
    for entry in _entries(text, path, model, found):
        if isinstance(entry, Requirement):
            found.lines.append(Line(requirement=entry, file=file, constraint=constraint))
        elif isinstance(entry, Option):
            found.options.append((file, entry))
        else:
            problem = _problem(entry, path, model, chain, found)
            if problem:
                found.bad.append(
                    BadReference(file=file, line=entry.line, reference=str(entry), problem=problem)
                )
            else:
                target = path.parent / entry.target
                _follow(
                    target, model, found, constraint=constraint or entry.constraint, chain=chain
                )


def _entries(text: str, path: Path, model: Path, found: RequirementFiles) -> Iterator[Entry]:
    """The entries of a text; where it cannot be read as a whole, those of each line that can."""
    try:
        yield from parse(text, path)
    except InvalidFile as error:
        found.broken.append(broken(error, model))


def _problem(
    entry: Reference, path: Path, model: Path, chain: tuple[Path, ...], found: RequirementFiles
) -> str:
    if is_url(entry.target):
        return "refers to a URL, whose content can change"
    try:
        target = (path.parent / entry.target).resolve()
    except (OSError, RuntimeError, ValueError):
        return "is not a path"
    if not target.is_relative_to(model):
        return "leads out of the model"
    if target in chain:
        circle = " → ".join(each.name for each in (*chain[chain.index(target) :], target))
        return f"goes round in a circle: {circle}"
    if not target.is_file():
        return "refers to a file that is not there"
    if found.count > MAX_FILES:
        return f"refers to more than the {MAX_FILES} files that are read"
    return ""
