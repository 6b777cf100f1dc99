"""The result of a validation, for all models, as the formats in `reports/` show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from envkit.validating.finding import Finding, Severity
from envkit.validating.rule import Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelResult:
    """The result for one model.

    Attributes:
        model: The model as it was named.
        path: Absolute; empty when there is no such model.
        findings: What is wrong, without what the baseline knows.
        error: Why the model could not be read; empty if it could.
        known: How many findings the baseline knows.
        notes: What the later stages did, a sentence each.
        seconds: What the validation took.
    """

    model: str
    path: str = ""
    findings: tuple[Finding, ...] = ()
    error: str = ""
    known: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Give the result as a JSON object."""
        return {
            "model": self.model,
            "path": self.path or None,
            "error": self.error or None,
            "findings": [finding.as_json() for finding in self.findings],
            "in_baseline": self.known,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The results for all models.

    Attributes:
        results: In the order in which the models were named.
        rules: The rules that ran.
        fail_on: The lowest severity that makes `ok` false.
    """

    results: tuple[ModelResult, ...]
    rules: tuple[Rule, ...]
    fail_on: Severity = Severity.WARNING

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all models."""
        return tuple(finding for result in self.results for finding in result.findings)

    @property
    def errors(self) -> tuple[str, ...]:
        """Why models could not be read."""
        return tuple(result.error for result in self.results if result.error)

    @property
    def ok(self) -> bool:
        """Whether every model could be read and no finding is as severe as `fail_on`."""
        return not self.errors and not any(self.failures)

    @property
    def failures(self) -> Iterator[Finding]:
        """The findings that are at least as severe as `fail_on`."""
        return (finding for finding in self.findings if finding.severity.reaches(self.fail_on))

    @property
    def exit_code(self) -> int:
        """3 when a model could not be read, 1 when there are failures, else 0."""
        if self.errors:
            return 3
        return 0 if self.ok else 1

    def rule(self, code: str) -> Rule:
        """Give the rule of a finding."""
        return next(rule for rule in self.rules if rule.code == code)

    def count(self, severity: Severity) -> int:
        """Count the findings of a severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Give the report as a JSON object."""
        counts = {f"{severity.value}s": self.count(severity) for severity in reversed(Severity)}
        return {
            "schema_version": 1,
            "ok": self.ok,
            "fail_on": self.fail_on.value,
            "summary": {
                "models": len(self.results),
                **counts,
                "unreadable": len(self.errors),
            },
            "models": [result.as_json() for result in self.results],
        }
