"""The result of a validation, for all models, as the formats in `reports/` show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
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
class SharedFinding:
    """What a rule reports of several models, said once.

    finding: the most severe one, as an example. models: as they were named.
    """

    finding: Finding
    count: int
    models: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        return {
            "rule": self.finding.rule,
            "severity": self.finding.severity.value,
            "findings": self.count,
            "models": list(self.models),
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """The results for all models.

    Attributes:
        results: In the order in which the models were named.
        rules: The rules that ran.
        fail_on: The lowest severity that makes `ok` false.
        once: The codes of rules of which people are told once what several models lack.
    """

    results: tuple[ModelResult, ...]
    rules: tuple[Rule, ...]
    fail_on: Severity = Severity.WARNING
    once: frozenset[str] = frozenset()

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

    @cached_property
    def shared(self) -> tuple[SharedFinding, ...]:
        """What the rules `once` report of more than one model, unless it fails."""
        shared = []
        for rule in self.rules:
            if rule.code not in self.once:
                continue
            by_model = {
                result.model: own
                for result in self.results
                if (own := [each for each in result.findings if each.rule == rule.code])
            }
            findings = [finding for own in by_model.values() for finding in own]
            worst = max(findings, key=lambda finding: finding.severity.order, default=None)
            if worst is None or len(by_model) < 2 or worst.severity.reaches(self.fail_on):
                continue
            shared.append(SharedFinding(finding=worst, count=len(findings), models=tuple(by_model)))
        return tuple(shared)

    def of_one(self, result: ModelResult) -> tuple[Finding, ...]:
        """The findings of a model that are not in `shared`."""
        return tuple(each for each in result.findings if each.rule not in self._shared_codes)

    @cached_property
    def _shared_codes(self) -> frozenset[str]:
        return frozenset(each.finding.rule for each in self.shared)

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
            "shared": [each.as_json() for each in self.shared],
            "models": [result.as_json() for result in self.results],
        }
