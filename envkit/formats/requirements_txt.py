"""`requirements.txt` and `constraints.txt`: what to install, and within which bounds.

https://pip.pypa.io/en/stable/reference/requirements-file-format/

Reading has two steps: `parse` gives what one text says, line by line; `read` and `follow` also go
where its `-r` and `-c` lead.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from envkit.errors import InvalidFile
from envkit.formats.requirement import FILE_NAME, Requirement, is_url
from envkit.formats.requirement_lines import Entry, Option, Reference, parse
from envkit.formats.text import read_text

__all__ = [
    "CONSTRAINTS_FILE_NAME",
    "FILE_NAME",
    "Entry",
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
_MAX_FILES = 1000
_MAX_DEPTH = 100  # of files that refer to files


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementsFile:
    """A requirements file with all that it refers to, in pip's order."""

    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    options: tuple[Option, ...] = ()


def read(path: Path, *, root: Path | None = None) -> RequirementsFile:
    """Read a file and those it refers to. With `root`, none of these may lie outside that folder.

    `${NAME}` stays as it is. Paths of `--find-links` that exist beside a nested file become
    relative to the first file's folder; paths of requirements are, as for pip, relative to where
    the installer is started.

    Raises `InvalidFile`, naming file and line, for what pip would refuse, a URL after `-r`, a file
    that refers to itself, one outside `root`, one that is missing or no text.
    """
    return follow(read_text(path, declared=True), path, root=root)


def follow(text: str, path: Path, *, root: Path | None = None) -> RequirementsFile:
    """As `read`, for a text that stands, or could stand, in the file `path`; relative references start beside it."""
    found = _Reader(first=path, root=root).entries(text, path, constraint=False, chain=())
    requirements: list[Requirement] = []
    constraints: list[Requirement] = []
    options: list[Option] = []
    for entry, constraint in found:
        if isinstance(entry, Option):
            options.append(entry)
        else:
            (constraints if constraint else requirements).append(entry)
    return RequirementsFile(
        requirements=tuple(requirements), constraints=tuple(constraints), options=tuple(options)
    )


def dumps(
    requirements: Iterable[Requirement],
    *,
    constraints_file: str | None = None,
    options: Iterable[Option] = (),
) -> str:
    """Give the text of a file: options, then requirements sorted by name, then `-c` with `constraints_file`.

    What is there twice is written once. Every line, also the last, ends with a line feed.
    """
    lines = dict.fromkeys(map(str, options))
    lines |= dict.fromkeys(map(str, sorted(requirements, key=_order)))
    if constraints_file is not None:
        lines[str(Reference(target=constraints_file, constraint=True))] = None
    return "".join(f"{line}\n" for line in lines)


def _order(requirement: Requirement) -> tuple[str, str]:
    return requirement.name or requirement.text.lower(), str(requirement)


class _Reader:
    """Follows references, within a folder."""

    def __init__(self, first: Path, root: Path | None) -> None:
        self.first = first
        self.root = root
        self.files = 0

    def entries(
        self, text: str, path: Path, *, constraint: bool, chain: tuple[Path, ...]
    ) -> Iterator[tuple[Requirement | Option, bool]]:
        """Yield requirements and options, each with whether it constrains; chain: the files that led here."""
        self.files += 1
        if self.files > _MAX_FILES:
            raise InvalidFile(self.first, "", f"refers to more than {_MAX_FILES} files")
        if len(chain) >= _MAX_DEPTH:
            raise InvalidFile(
                self.first, "", f"refers to files that refer to files, more than {_MAX_DEPTH} deep"
            )
        chain = (*chain, path.resolve())
        for entry in parse(text, path):
            if isinstance(entry, Reference):
                target = self._target(entry, chain)
                if target.is_file():
                    nested = read_text(target, declared=True)
                else:
                    nested = self._missing(entry, target)
                yield from self.entries(nested, target, constraint=entry.constraint, chain=chain)
            elif isinstance(entry, Option):
                yield self._rebased(entry), constraint
            else:
                yield entry, constraint

    def _target(self, reference: Reference, chain: tuple[Path, ...]) -> Path:
        where = f"line {reference.line}"
        if is_url(reference.target):
            raise InvalidFile(
                reference.file,
                where,
                f"'{reference}' refers to a URL, whose content can change",
                "Save that file beside this one and refer to it.",
            )
        target = reference.file.parent / reference.target
        resolved = target.resolve()
        if self.root is not None and not resolved.is_relative_to(self.root.resolve()):
            raise InvalidFile(
                reference.file,
                where,
                f"'{reference}' leads out of {self.root}",
                "Everything that a model needs must lie inside it.",
            )
        if resolved in chain:
            circle = " → ".join(each.name for each in (*chain[chain.index(resolved) :], resolved))
            raise InvalidFile(
                reference.file, where, f"'{reference}' goes round in a circle: {circle}"
            )
        return target

    def _missing(self, reference: Reference, target: Path) -> NoReturn:
        raise InvalidFile(
            reference.file,
            f"line {reference.line}",
            f"'{reference}' refers to {target}, and there is no such file",
        )

    def _rebased(self, option: Option) -> Option:
        """Make a `--find-links` of a nested file relative to the first one, where pip would look beside the former."""
        if (
            option.name != "--find-links"
            or not option.value
            or option.file.parent == self.first.parent
        ):
            return option
        beside = option.file.parent / option.value
        if Path(option.value).is_absolute() or not beside.exists():
            return option
        return replace(option, value=os.path.relpath(beside, self.first.parent))
