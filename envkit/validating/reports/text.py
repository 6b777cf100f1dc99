"""The report for people: findings by model, then one line that sums up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envkit.validating.finding import Finding, Severity
from envkit.validating.report import ModelResult, Report

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def render(report: Report) -> str:
    """Give the report as text, with nothing in it that a terminal would interpret."""
    lines = [*_model_lines(report), summary(report)]
    return "".join(f"{plain(line)}\n" for line in lines)


def plain(line: str) -> str:
    """A line with control characters, such as a file name may contain, written as `\\x1b`."""
    return _CONTROL.sub(_escaped, line)


def summary(report: Report) -> str:
    """One sentence: how many models, how many findings of each severity."""
    counts = []
    for severity in reversed(Severity):
        count = report.count(severity)
        if count:
            counts.append(_counted(count, severity.value))
    models = _counted(len(report.results), "model")
    findings = ", ".join(counts) or "no findings"
    text = f"{models}: {findings}"
    if report.errors:
        text += f", {len(report.errors)} could not be read"
    known = sum(result.known for result in report.results)
    if known:
        text += f" ({known} known from the baseline)"
    return f"{text}."


def _escaped(character: re.Match[str]) -> str:
    return character[0].encode("unicode_escape").decode("ascii")


def _counted(count: int, name: str) -> str:
    if count == 1:
        return f"1 {name}"
    return f"{count} {name}s"


def _model_lines(report: Report) -> Iterator[str]:
    for result in report.results:
        if result.error:
            yield f"{result.model}: {result.error}"
        elif result.findings or result.notes:
            yield result.model
            yield from _finding_lines(result, report)
            for note in result.notes:
                yield f"  {note}"
            yield ""


def _finding_lines(result: ModelResult, report: Report) -> Iterator[str]:
    for finding in result.findings:
        rule = report.rule(finding.rule)
        yield f"  {_heading(finding)} [{rule.name}]"
        yield f"    {finding.problem}."
        yield f"    → {finding.remedy}."


def _heading(finding: Finding) -> str:
    heading = f"{finding.severity.value} {finding.rule}"
    if not finding.where:
        return heading
    place = finding.where.replace("\n", "\\n")
    return f"{heading} {place}"
