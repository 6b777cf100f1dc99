"""The report for people: findings by model, then one line that sums up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envkit.validating.finding import Finding, Severity
from envkit.validating.report import ModelResult, Report

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def render(report: Report) -> str:
    """Give the report as text, with nothing in it that a terminal would obey."""
    return "".join(f"{plain(line)}\n" for line in (*_models(report), summary(report)))


def plain(line: str) -> str:
    """A line with control characters, such as a file's name may hold, written as `\\x1b`."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), line)


def summary(report: Report) -> str:
    """One sentence: how many models, how many findings of each severity."""
    counts = [(report.count(each), each.value) for each in reversed(Severity)]
    found = (
        ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts if count)
        or "nothing found"
    )
    models = f"{len(report.results)} model{'s' if len(report.results) > 1 else ''}"
    known = sum(each.known for each in report.results)
    if report.errors:
        missing = f", {len(report.errors)} could not be read"
    else:
        missing = ""
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
    if finding.where:
        where = f" {finding.where}".replace("\n", "\\n")
    else:
        where = ""
    return f"{finding.severity.value} {finding.rule}{where}"
