"""The report for people: findings by model, then one line that sums up."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.finding import Finding, Severity
from envkit.validating.report import ModelResult, Report


def render(report: Report) -> str:
    """Give the report as text."""
    return "".join(f"{line}\n" for line in (*_models(report), summary(report)))


def summary(report: Report) -> str:
    """One sentence: how many models, how many findings of each severity."""
    counts = [(report.count(each), each.value) for each in reversed(Severity)]
    found = ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts if count) or "nothing found"
    models = f"{len(report.results)} model{'s' if len(report.results) > 1 else ''}"
    known = sum(each.known for each in report.results)
    missing = f", {len(report.errors)} could not be read" if report.errors else ""
    return f"{models}: {found}{missing}{f' ({known} known from the baseline)' if known else ''}."


def _models(report: Report) -> Iterator[str]:
    for result in report.results:
        if result.error:
            yield f"{result.model}: {result.error}"
        elif result.findings or result.notes:
            yield result.model
            yield from _findings(result, report)
            yield from (f"  {note}" for note in result.notes)
            yield ""


def _findings(result: ModelResult, report: Report) -> Iterator[str]:
    for each in result.findings:
        yield f"  {_head(each)} [{report.rule(each.rule).name}]"
        yield f"    {each.problem}."
        yield f"    → {each.remedy}."


def _head(finding: Finding) -> str:
    where = f" {finding.where}" if finding.where else ""
    return f"{finding.severity.value} {finding.rule}{where}"
