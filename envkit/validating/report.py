"""What a validation found, for all models, as the formats in `reports/` show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from envkit.validating.finding import Finding, Severity
from envkit.validating.rule import Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelResult:
    """One model. model: as it was named; path: absolute, empty when there is none. error: why it was not looked at.

    known: how many findings the baseline holds already. notes: what the later stages did, a
    sentence each.
    """

    model: str
    path: str = ""
    findings: tuple[Finding, ...] = ()
    error: str = ""
    known: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "model": self.model,
            "path": self.path or None,
            "error": self.error or None,
            "findings": [each.as_json() for each in self.findings],
            "in_baseline": self.known,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All models, in the order in which they were named. rules: those that were asked; fail_on: what counts as bad."""

    results: tuple[ModelResult, ...]
    rules: tuple[Rule, ...]
    fail_on: Severity = Severity.WARNING

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of all models."""
        return tuple(each for result in self.results for each in result.findings)

    @property
    def errors(self) -> tuple[str, ...]:
        """Why models could not be looked at."""
        return tuple(result.error for result in self.results if result.error)

    @property
    def ok(self) -> bool:
        """Whether every model could be looked at and nothing as grave as `fail_on` was found."""
        return not self.errors and not any(True for _ in self.failures)

    @property
    def failures(self) -> Iterator[Finding]:
        """The findings that are at least as grave as `fail_on`."""
        return (each for each in self.findings if each.severity.reaches(self.fail_on))

    @property
    def exit_code(self) -> int:
        """3 when a model could not be looked at, 1 when there are findings that count, else 0."""
        if self.errors:
            return 3
        if self.ok:
            return 0
        return 1

    def rule(self, code: str) -> Rule:
        """The rule of a finding."""
        return next(each for each in self.rules if each.code == code)

    def count(self, severity: Severity) -> int:
        """How many findings are of a severity."""
        return sum(each.severity is severity for each in self.findings)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "schema_version": 1,
            "ok": self.ok,
            "fail_on": self.fail_on.value,
            "summary": {
                "models": len(self.results),
                **{f"{each.value}s": self.count(each) for each in reversed(Severity)},
                "unreadable": len(self.errors),
            },
            "models": [each.as_json() for each in self.results],
        }
