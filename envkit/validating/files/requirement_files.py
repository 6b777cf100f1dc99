"""The requirements files of a model, read with all of their faults, not just the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from packaging.markers import Marker
from packaging.requirements import Requirement as Pep508
from packaging.specifiers import SpecifierSet

from envkit.errors import InvalidFile
from envkit.formats import requirements_txt
from envkit.formats.credentials import without_credentials
from envkit.formats.requirement import Requirement
from envkit.formats.requirement_lines import Option
from envkit.formats.requirements_txt import RequirementsFile
from envkit.validating.finding import Location

MAX_SHOWN = 200  # characters of a line


@dataclass(frozen=True, kw_only=True)
class Line:
    """One requirement or constraint where it stands. file: relative to the model."""

    requirement: Requirement
    file: str
    constraint: bool

    @property
    def location(self) -> Location:
        """File and line."""
        return Location(self.file, self.requirement.line)

    @property
    def shown(self) -> str:
        """The text without credentials, cut if it is long."""
        text = without_credentials(self.requirement.text)
        if len(text) <= MAX_SHOWN:
            return text
        return f"{text[:MAX_SHOWN]}…"

    @property
    def parsed(self) -> Pep508 | None:
        """As `packaging` parses it; None for a path, a bare URL, and what is not a requirement."""
        return self.requirement.pep508

    @property
    def name(self) -> str | None:
        """The normalized name, or the one in a wheel's file name."""
        if self.requirement.name is None and self.requirement.wheel is not None:
            return self.requirement.wheel[0]
        return self.requirement.name

    @property
    def marker(self) -> Marker | None:
        """Where it applies; None for everywhere."""
        return self.requirement.marker

    @property
    def specifier(self) -> SpecifierSet:
        """The versions that it admits."""
        return self.requirement.specifier

    @property
    def url(self) -> str | None:
        """The URL that it names in place of a version."""
        return self.requirement.url

    @property
    def version(self) -> str | None:
        """The one version that it admits, as text; None for several."""
        return self.requirement.version


LinesByName: TypeAlias = dict[str, Line]


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """A file that cannot be read. field: the key or line that breaks its format."""

    file: str
    field: str
    problem: str
    hint: str = ""

    def error(self, folder: Path) -> InvalidFile:
        """Give it as an exception. folder: where the file is."""
        return InvalidFile(folder / self.file, self.field, self.problem, self.hint)


@dataclass(frozen=True, kw_only=True, slots=True)
class BadReference:
    """A `-r` or `-c` that cannot be followed. problem: to follow the reference as written."""

    file: str
    line: int
    reference: str
    problem: str


@dataclass(frozen=True, kw_only=True)
class RequirementFiles:
    """What a file and those that it refers to say. read: the files, relative to the model."""

    lines: tuple[Line, ...] = ()
    options: tuple[tuple[str, Option], ...] = ()
    broken: tuple[Broken, ...] = ()
    bad: tuple[BadReference, ...] = ()
    read: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_whole(self) -> bool:
        """Whether everything that belongs to it could be read."""
        return not self.bad and not self.broken

    @cached_property
    def requirements(self) -> LinesByName:
        """The first requirement of each name."""
        return _first_of_each_name(line for line in self.lines if not line.constraint)

    @cached_property
    def constraints(self) -> LinesByName:
        """The first constraint of each name."""
        return _first_of_each_name(line for line in self.lines if line.constraint)


def read(path: Path, model: Path) -> RequirementFiles:
    """Read a file and those that it refers to, within the model."""
    return _relative_to(model, requirements_txt.read(path, root=model, strict=False))


def read_lines(lines: tuple[str, ...], path: Path, model: Path, text: str = "") -> RequirementFiles:
    """Read lines that stand in another kind of file. text: of that file, to find their places."""
    followed = requirements_txt.follow("\n".join(lines), path, root=model, strict=False)
    files = _relative_to(model, followed)
    return _located(files, relative(path, model), _places(lines, text))


def _located(files: RequirementFiles, name: str, places: Mapping[int, int]) -> RequirementFiles:
    """Give what stands in the file of this name its place there."""
    lines = []
    for line in files.lines:
        if line.file == name:
            place = places.get(line.requirement.line, 0)
            line = replace(line, requirement=replace(line.requirement, line=place))
        lines.append(line)
    options = []
    for file, option in files.options:
        if file == name:
            option = replace(option, line=places.get(option.line, 0))
        options.append((file, option))
    bad = []
    for reference in files.bad:
        if reference.file == name:
            reference = replace(reference, line=places.get(reference.line, 0))
        bad.append(reference)
    return replace(files, lines=tuple(lines), options=tuple(options), bad=tuple(bad))


def broken(error: InvalidFile, model: Path) -> Broken:
    """Give what an error says, with the file relative to the model."""
    return Broken(
        file=relative(Path(error.path), model),
        field=error.where,
        problem=error.problem,
        hint=error.hint,
    )


def relative(path: Path, model: Path) -> str:
    """A path relative to the model; unchanged when it lies elsewhere."""
    if path.is_relative_to(model):
        return path.relative_to(model).as_posix()
    return str(path)


def _relative_to(model: Path, file: RequirementsFile) -> RequirementFiles:
    """Give what was read, with files relative to the model."""
    lines = [_line(requirement, model, constraint=False) for requirement in file.requirements]
    lines += [_line(constraint, model, constraint=True) for constraint in file.constraints]
    broken_files: list[Broken] = []
    bad: list[BadReference] = []
    for fault in file.faults:
        if isinstance(fault, InvalidFile):
            broken_files.append(broken(fault, model))
            continue
        reference = fault.reference
        bad.append(
            BadReference(
                file=relative(reference.file, model),
                line=reference.line,
                reference=str(reference),
                problem=fault.problem,
            )
        )
    options = [(relative(option.file, model), option) for option in file.options]
    return RequirementFiles(
        lines=tuple(lines),
        options=tuple(options),
        broken=tuple(broken_files),
        bad=tuple(bad),
        read=frozenset(relative(path, model) for path in file.files),
    )


def _line(requirement: Requirement, model: Path, *, constraint: bool) -> Line:
    file = relative(requirement.file, model)
    return Line(requirement=requirement, file=file, constraint=constraint)


def _first_of_each_name(lines: Iterable[Line]) -> LinesByName:
    names: LinesByName = {}
    for line in lines:
        if line.name is not None:
            names.setdefault(line.name, line)
    return names


def _places(lines: tuple[str, ...], text: str) -> dict[int, int]:
    """The lines of a YAML text at which items stand, by their numbers as lines of a file."""
    items = [line.strip().removeprefix("- ").strip("'\"") for line in text.splitlines()]
    places: dict[int, int] = {}
    number = 1
    for line in lines:
        places[number] = _place(line.strip(), items)
        number += line.strip().count("\n") + 1
    return places


def _place(line: str, items: list[str]) -> int:
    """The first item that is a line, else the first that contains it, counted from 1; else 0."""
    if line in items:
        return items.index(line) + 1
    for number, item in enumerate(items, 1):
        if line in item:
            return number
    return 0
