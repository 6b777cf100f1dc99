"""Tables over many models for a terminal: findings by rule, and the verdict of each model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from envkit.formats.text import printable
from envkit.validating.finding import Finding
from envkit.validating.report import ModelResult, Report
from envkit.validating.reports import text as text_report

_MAX_PROBLEM = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleCount:
    """How often a rule reports something. severity: the highest one."""

    code: str
    name: str
    severity: str
    findings: int
    models: int


def statistics(report: Report) -> tuple[RuleCount, ...]:
    """Count the findings of each rule that has some; those of most models come first."""
    counts = []
    for rule in report.rules:
        findings = [each for each in report.findings if each.rule == rule.code]
        if not findings:
            continue
        models = sum(
            any(each.rule == rule.code for each in result.findings) for result in report.results
        )
        worst = max(findings, key=lambda finding: finding.severity.order)
        counts.append(
            RuleCount(
                code=rule.code,
                name=rule.name,
                severity=worst.severity.value,
                findings=len(findings),
                models=models,
            )
        )
    return tuple(sorted(counts, key=lambda count: (-count.models, -count.findings, count.code)))


def render_statistics(report: Report) -> str:
    """Give a table of the rules with findings."""
    rows = [("rule", "name", "severity", "findings", "models")]
    rows += [
        (count.code, count.name, count.severity, str(count.findings), str(count.models))
        for count in statistics(report)
    ]
    return _table(rows)


def render_summary(report: Report) -> str:
    """Give a table of the models: verdict and worst finding."""
    rows = [("model", "verdict", "worst finding")]
    rows += [
        (result.model, _verdict(result, report), _worst(result, report))
        for result in report.results
    ]
    return f"{_table(rows)}\n{text_report.summary(report)}\n"


def _verdict(result: ModelResult, report: Report) -> str:
    if result.error:
        return "unreadable"
    fails = any(finding.severity.reaches(report.fail_on) for finding in result.findings)
    return "failed" if fails else "passed"


def _worst(result: ModelResult, report: Report) -> str:
    if result.error:
        return result.error
    worst = worst_of(result.findings)
    if worst is None:
        return ""
    place = f" {worst.file}" if worst.file else ""
    problem, _, _ = worst.problem.partition("\n")
    if len(problem) > _MAX_PROBLEM:
        problem = f"{problem[: _MAX_PROBLEM - 1]}…"
    name = report.rule(worst.rule).name
    return f"{worst.severity.value} {worst.rule} {name}:{place} {problem}"


def worst_of(findings: Iterable[Finding]) -> Finding | None:
    """The first of the most severe findings; None without any."""
    return max(findings, key=lambda finding: finding.severity.order, default=None)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    plain = [[printable(cell.replace("\n", " ")) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*plain, strict=True)]
    lines = []
    for row in plain:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "".join(f"{line}\n" for line in lines)
