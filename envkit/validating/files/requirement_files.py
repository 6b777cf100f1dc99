"""The requirements files of a model, read with all of their faults, not just the first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement as Pep508
from packaging.specifiers import SpecifierSet

from envkit.errors import InvalidFile
from envkit.formats import requirements_txt
from envkit.formats.credentials import without_credentials
from envkit.formats.requirement import Requirement
from envkit.formats.requirement_lines import Option
from envkit.formats.requirements_txt import RequirementsFile

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

    @property
    def parsed(self) -> Pep508 | None:
        """As PEP 508 has it; None for a path, a bare URL, and what is not a requirement."""
        return self.requirement.pep508

    @property
    def name(self) -> str | None:
        """The normalised name, that in a wheel's file name too."""
        if self.requirement.name is None and self.requirement.wheel is not None:
            return self.requirement.wheel[0]
        return self.requirement.name

    @property
    def marker(self) -> Marker | None:
        """Where it holds; None for everywhere."""
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
        """The one version that it admits, as text; None when there are several."""
        return self.requirement.version


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
    """Read a file and those that it refers to, within the model; all faults are collected."""
    return _seen_from(requirements_txt.read(path, root=model, strict=False), model)


def read_lines(lines: tuple[str, ...], path: Path, model: Path, text: str = "") -> RequirementFiles:
    """As `read`, for lines that stand in another kind of file; `text`: that file, in which they are located."""
    followed = requirements_txt.follow("\n".join(lines), path, root=model, strict=False)
    found = _seen_from(followed, model)
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


def _seen_from(file: RequirementsFile, model: Path) -> RequirementFiles:
    """Put together what was read, with files as seen from the model."""
    found = RequirementFiles(read={relative(path, model) for path in file.files})
    for requirement in file.requirements:
        place = relative(requirement.file, model)
        found.lines.append(Line(requirement=requirement, file=place, constraint=False))
    for constraint in file.constraints:
        place = relative(constraint.file, model)
        found.lines.append(Line(requirement=constraint, file=place, constraint=True))
    found.options = [(relative(option.file, model), option) for option in file.options]
    for fault in file.faults:
        if isinstance(fault, InvalidFile):
            found.broken.append(broken(fault, model))
        else:
            found.bad.append(
                BadReference(
                    file=relative(fault.reference.file, model),
                    line=fault.reference.line,
                    reference=str(fault.reference),
                    problem=fault.problem,
                )
            )
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
