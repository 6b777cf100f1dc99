"""`requirements.txt` and `constraints.txt`: what to install, and within which bounds.

https://pip.pypa.io/en/stable/reference/requirements-file-format/

Reading has two steps: `parse` gives what one text says, line by line; `read` and `follow` also go
where its `-r` and `-c` lead.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from envkit.errors import InvalidFile
from envkit.formats.requirement import FILE_NAME, Requirement, is_url
from envkit.formats.requirement_lines import Entry, Option, Reference, parse, parse_each
from envkit.formats.text import read_text

__all__ = [
    "CONSTRAINTS_FILE_NAME",
    "FILE_NAME",
    "BadReference",
    "Entry",
    "Fault",
    "Option",
    "Reference",
    "Requirement",
    "RequirementsFile",
    "dumps",
    "follow",
    "parse",
    "read",
]

CONSTRAINTS_FILE_NAME = "constraints.txt"
# a file that is referred to twice is read and counted twice
MAX_FILES = 1000
# of files that refer to files
MAX_DEPTH = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class BadReference:
    """A `-r` or `-c` that cannot be followed. problem: the end of a sentence that it begins."""

    reference: Reference
    problem: str
    hint: str = ""

    def error(self) -> InvalidFile:
        """The fault as an exception."""
        where = f"line {self.reference.line}"
        problem = f"'{self.reference}' {self.problem}"
        return InvalidFile(self.reference.file, where, problem, self.hint)


Fault = InvalidFile | BadReference
"""A file that cannot be read, a line that cannot be parsed, a reference that cannot be followed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementsFile:
    """A requirements file with everything that it refers to, in pip's order.

    files: those that were read, one that is referred to twice only once. faults: what could not be
    read, where all faults are collected.
    """

    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    options: tuple[Option, ...] = ()
    files: tuple[Path, ...] = ()
    faults: tuple[Fault, ...] = ()


def read(path: Path, *, root: Path | None = None, strict: bool = True) -> RequirementsFile:
    """Read a file and those it refers to. With `root`, none of these may lie outside that folder.

    `${NAME}` stays as it is. Paths of `--find-links` that exist next to a nested file become
    relative to the first file's folder; paths of requirements are, as for pip, relative to where
    the installer is started.

    Raises `InvalidFile`, naming file and line, for the first line that pip would refuse, a URL
    after `-r`, a file that refers to itself, one outside `root`, one that is missing or not text.
    When not `strict`, it raises nothing: the faults are part of what it returns.
    """
    reader = _Reader(path, root, strict=strict)
    reader.read(path)
    return reader.result()


def follow(
    text: str, path: Path, *, root: Path | None = None, strict: bool = True
) -> RequirementsFile:
    """Do what `read` does for a text that stands, or could stand, in the file `path`."""
    reader = _Reader(path, root, strict=strict)
    reader.add(text, path)
    return reader.result()


def dumps(
    requirements: Iterable[Requirement],
    *,
    constraints_file: str | None = None,
    options: Iterable[Option] = (),
) -> str:
    """Give the text of a file: options, requirements sorted by name, `-c` with `constraints_file`.

    Equal lines are written once. Every line, also the last, ends with a line feed.
    """
    lines = dict.fromkeys(map(str, options))
    lines |= dict.fromkeys(map(str, sorted(requirements, key=_order)))
    if constraints_file is not None:
        lines[str(Reference(target=constraints_file, constraint=True))] = None
    return "".join(f"{line}\n" for line in lines)


def _order(requirement: Requirement) -> tuple[str, str]:
    return requirement.name or requirement.text.lower(), str(requirement)


@dataclass
class _Reader:
    """Collects what a file and those that it refers to say."""

    first: Path
    root: Path | None
    strict: bool = field(kw_only=True)
    count: int = 0
    requirements: list[Requirement] = field(default_factory=list)
    constraints: list[Requirement] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def result(self) -> RequirementsFile:
        return RequirementsFile(
            requirements=tuple(self.requirements),
            constraints=tuple(self.constraints),
            options=tuple(self.options),
            files=tuple(dict.fromkeys(self.files)),
            faults=tuple(self.faults),
        )

    def read(self, path: Path, *, constraint: bool = False, chain: tuple[Path, ...] = ()) -> None:
        """Read a file. chain: the files that led to it."""
        self.files.append(path)
        try:
            text = read_text(path, declared=True)
        except InvalidFile as error:
            self._report(error)
            return
        self.add(text, path, constraint=constraint, chain=chain)

    def add(
        self, text: str, path: Path, *, constraint: bool = False, chain: tuple[Path, ...] = ()
    ) -> None:
        """Read a text, whose references start next to `path`."""
        self.count += 1
        chain = (*chain, path.resolve())
        for entry in parse_each(text, path):
            if isinstance(entry, InvalidFile):
                self._report(entry)
            elif isinstance(entry, Reference):
                self._follow(entry, chain)
            elif isinstance(entry, Option):
                self.options.append(self._rebased(entry))
            elif constraint:
                self.constraints.append(entry)
            else:
                self.requirements.append(entry)

    def _report(self, fault: Fault) -> None:
        if self.strict:
            raise fault.error() if isinstance(fault, BadReference) else fault
        self.faults.append(fault)

    def _follow(self, reference: Reference, chain: tuple[Path, ...]) -> None:
        target = reference.file.parent / reference.target
        fault = self._fault(reference, target, chain)
        if fault is not None:
            self._report(fault)
            return
        # as for pip, what a `-r` in a file of constraints leads to is required
        self.read(target, constraint=reference.constraint, chain=chain)

    def _fault(
        self, reference: Reference, target: Path, chain: tuple[Path, ...]
    ) -> BadReference | None:
        """Why a reference cannot be followed."""
        if is_url(reference.target):
            return BadReference(
                reference=reference,
                problem="refers to a URL, whose content can change",
                hint="Save that file next to this one and refer to the copy.",
            )
        try:
            resolved = target.resolve()
        except (OSError, RuntimeError, ValueError):
            # a circle of links, a NUL character
            return BadReference(reference=reference, problem="is not a path")
        if self.root is not None and not resolved.is_relative_to(self.root.resolve()):
            return BadReference(
                reference=reference,
                problem="leads out of the model",
                hint="Everything that a model needs must lie inside it.",
            )
        if resolved in chain:
            circle = [file.name for file in (*chain[chain.index(resolved) :], resolved)]
            problem = f"goes round in a circle: {' → '.join(circle)}"
            return BadReference(reference=reference, problem=problem)
        if not target.is_file():
            return BadReference(reference=reference, problem="refers to a file that does not exist")
        if self.count >= MAX_FILES:
            return BadReference(
                reference=reference, problem=f"exceeds the limit of {MAX_FILES} files"
            )
        if len(chain) >= MAX_DEPTH:
            problem = f"exceeds the limit of {MAX_DEPTH} files that refer to each other"
            return BadReference(reference=reference, problem=problem)
        return None

    def _rebased(self, option: Option) -> Option:
        """Make a `--find-links` relative to the first file; pip looks next to a nested one."""
        folder = option.file.parent
        if option.name != "--find-links" or not option.value or folder == self.first.parent:
            return option
        target = folder / option.value
        if Path(option.value).is_absolute() or not target.exists():
            return option
        return replace(option, value=os.path.relpath(target, self.first.parent))
