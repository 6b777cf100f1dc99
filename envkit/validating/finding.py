"""What a rule reports, where, and how severe it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, TypeAlias


class Severity(StrEnum):
    """How severe a finding is, after SARIF's levels.

    error: the model will not run there, will run with something else, or is not safe to run.
    warning: it may. note: worth knowing, or not certain.
    """

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"

    def reaches(self, lowest: Severity) -> bool:
        """Whether it is at least as severe as another."""
        return self.order >= lowest.order

    @property
    def order(self) -> int:
        """A number that is greater for what is more severe."""
        return list(Severity).index(self)


class Stage(Enum):
    """The stages in order; each needs more of the machine than the one before.

    The value is the name of the folder that holds the stage's rules.
    """

    FILES = "files"
    CODE = "code"
    RESOLVE = "resolve"
    REBUILD = "rebuild"
    MINIMAL = "minimal"
    AGAINST = "against"


ALWAYS = frozenset({Stage.FILES, Stage.CODE})
"""The stages that need neither a network nor anything installed."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a model.

    file: relative to the model directory, empty for the model as a whole.
    line: from 1, 0 where there are no lines.
    field: the key in the file, where that says more than a line.
    """

    file: str = ""
    line: int = 0
    field: str = ""

    def __str__(self) -> str:
        place = self.file
        if self.file and self.line:
            place = f"{self.file}:{self.line}"
        if self.field:
            return f"{place} ({self.field})"
        return place


WHOLE_MODEL = Location()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What a rule yields: the engine adds the rule, and its severity where none is set here.

    problem, remedy: a sentence each, without a full stop, the remedy in the imperative.
    """

    problem: str
    remedy: str
    location: Location = WHOLE_MODEL
    severity: Severity | None = None


Faults: TypeAlias = Iterator[Fault]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong with a model.

    Attributes:
        rule: The code of the rule, such as `ENV120`.
        severity: The rule's severity, or the one that the user gave it.
        problem: What is wrong: a sentence without a full stop.
        remedy: What to do: a sentence in the imperative, without a full stop.
        file: Relative to the model directory; empty for the model as a whole.
        line: Counted from 1; 0 where there are no lines.
        field: The key in the file, where that says more than a line.
    """

    rule: str
    severity: Severity
    problem: str
    remedy: str
    file: str = ""
    line: int = 0
    field: str = ""

    @property
    def where(self) -> str:
        """File, line and field as people write them; empty for the model as a whole."""
        return str(Location(self.file, self.line, self.field))

    @property
    def message(self) -> str:
        """Problem and remedy in one line."""
        return f"{self.problem}. {self.remedy[:1].upper()}{self.remedy[1:]}."

    @property
    def fingerprint(self) -> str:
        """Identifies the finding in baselines and SARIF; the same after lines were moved."""
        parts = (self.rule, self.file, self.field, self.problem)
        identity = "\0".join(parts).encode("utf-8", "surrogateescape")
        return hashlib.sha256(identity).hexdigest()[:32]

    def as_json(self) -> dict[str, Any]:
        """Give the finding as a JSON object."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "file": self.file,
            "line": self.line or None,
            "field": self.field or None,
            "problem": self.problem,
            "remedy": self.remedy,
            "fingerprint": self.fingerprint,
        }
