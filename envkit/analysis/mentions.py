"""What reading a model's files finds, as values.

Modules that the files name, versions that they record, and what could not be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from envkit.analysis.entry_point_groups import EntryPointGroup
from envkit.analysis.environment_variables import VariableMention


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A file of the model names a module.

    Attributes:
        alternatives: Names of which the first that is a module is meant: `from a import b` may mean
            `a.b` or `a`.
        file: The file, relative to the model directory.
        line: The line, 0 where there are no lines.
        guarded: Whether the code can do without the module.
        instead_of: Modules in whose absence alone it is imported.
        by_code: Whether the model's own code imports it; else it has the class of a pickled object.
    """

    alternatives: tuple[str, ...]
    file: str
    line: int = 0
    guarded: bool = False
    instead_of: tuple[str, ...] = ()
    by_code: bool = True

    @property
    def module(self) -> str:
        """The name to show to people."""
        return self.alternatives[-1]

    @property
    def where(self) -> str:
        """The file, with its line where there is one."""
        if self.line:
            return f"{self.file}:{self.line}"
        return self.file


class UnreadReason(Enum):
    """Why a file, or a part of it, was not read."""

    BROKEN = "damaged, encrypted, or not in a format that can be read"
    TOO_LARGE = "larger than is read"
    UNKNOWN_BYTECODE = "has bytecode of an unknown Python version"
    NOT_FETCHED = "left where it is stored"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """A file of the model, or a part of it, that was not read.

    Attributes:
        file: The file, relative to the model directory; `.` for the model as a whole.
        reason: The kind of problem.
        problem: A clause that can follow the file's name and a colon.
    """

    file: str
    reason: UnreadReason
    problem: str


Globals = tuple[tuple[str, str], ...]
"""Modules and names of classes and functions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """What was found in some or all files of a model.

    Attributes:
        mentions: Modules that the files name.
        variables: Environment variables that the code reads.
        gaps: What was not read.
        groups: Groups of entry points that the code looks up.
        texts: String literals in the code, each of which may name an entry point.
        versions: The versions that the model records, by the name of a distribution.
        recorded: By artifact, the versions that it records itself.
        globals: By artifact, module and name of what unpickling would fetch.
        pythons: For each function in an artifact, the oldest and the newest minor version of
            Python 3 that may have written it.
        python: The version that the model is for.
        unreached: Files of the model's code to which no import leads.
    """

    mentions: tuple[Mention, ...] = ()
    variables: tuple[VariableMention, ...] = ()
    gaps: tuple[Gap, ...] = ()
    groups: tuple[EntryPointGroup, ...] = ()
    texts: frozenset[str] = frozenset()
    versions: Mapping[str, str] = field(default_factory=dict)
    recorded: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    globals: Mapping[str, Globals] = field(default_factory=dict)
    pythons: tuple[tuple[int, int], ...] = ()
    python: str | None = None
    unreached: frozenset[str] = frozenset()

    @classmethod
    def joined(cls, parts: Iterable[Survey]) -> Survey:
        """Put surveys of parts of a model together. Of different versions the first one counts."""
        surveys = tuple(parts)
        versions: dict[str, str] = {}
        recorded: dict[str, Mapping[str, str]] = {}
        unpickled: dict[str, Globals] = {}
        for survey in surveys:
            versions = {**survey.versions, **versions}
            recorded |= survey.recorded
            unpickled |= survey.globals
        return cls(
            mentions=tuple(mention for survey in surveys for mention in survey.mentions),
            variables=tuple(variable for survey in surveys for variable in survey.variables),
            gaps=tuple(gap for survey in surveys for gap in survey.gaps),
            groups=tuple(group for survey in surveys for group in survey.groups),
            texts=frozenset[str]().union(*(survey.texts for survey in surveys)),
            versions=versions,
            recorded=recorded,
            globals=unpickled,
            pythons=tuple(python for survey in surveys for python in survey.pythons),
            python=next((survey.python for survey in surveys if survey.python), None),
            unreached=frozenset[str]().union(*(survey.unreached for survey in surveys)),
        )


def modules_mentioned(modules: Mapping[str, bool], file: str) -> tuple[Mention, ...]:
    """Return the mentions of modules in an artifact.

    modules: by name, whether code in the artifact imports the module.
    """
    return tuple(
        Mention(alternatives=(module,), file=file, by_code=by_code)
        for module, by_code in modules.items()
    )
