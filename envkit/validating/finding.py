"""What a rule reports, and how grave it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any


class Severity(StrEnum):
    """How grave a finding is, after SARIF's levels.

    error: the model will not run there, will run with something else, or is not safe to run.
    warning: it may. note: worth knowing; what cannot be told for sure.
    """

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"

    def reaches(self, least: Severity) -> bool:
        """Whether it is at least as grave as another."""
        order = list(Severity)
        return order.index(self) >= order.index(least)


class Stage(Enum):
    """What is looked at, in this order; each stage asks more of the machine than the one before.

    The value is the name of the folder of its rules.
    """

    FILES = "files"
    CODE = "code"
    RESOLVE = "resolve"
    REBUILD = "rebuild"
    MINIMAL = "minimal"
    AGAINST = "against"


ALWAYS = frozenset({Stage.FILES, Stage.CODE})
"""The stages that need neither a network nor anything installed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong.

    rule: the code of the rule, `ENV120`. file: relative to the model directory, empty for the model
    as a whole; line: from 1, 0 where there are no lines; field: the key in the file, where that
    says more than a line. problem, remedy: a sentence each, without a full stop, the remedy in the
    imperative.
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
        if self.file and self.line:
            place = f"{self.file}:{self.line}"
        else:
            place = self.file
        if self.field:
            return f"{place} ({self.field})"
        return place

    @property
    def message(self) -> str:
        """Problem and remedy in one line."""
        return f"{self.problem}. {_sentence(self.remedy)}."

    @property
    def fingerprint(self) -> str:
        """The same for the same finding after lines were moved: what a baseline and SARIF know it by."""
        parts = (self.rule, self.file, self.field, self.problem)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
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


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
