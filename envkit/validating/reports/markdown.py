"""The report as Markdown, for the summary of a pipeline's step or a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envkit.validating.finding import Finding
from envkit.validating.report import ModelResult, Report
from envkit.validating.reports import text as text_report

MOST = 200  # rows for each model: GitHub shows a megabyte for each step


def render(report: Report) -> str:
    """Give a heading, a sentence, and a table for each model with findings."""
    verdict = "passed" if report.ok else "failed"
    head = [f"## envkit validate: {verdict}", "", text_report.summary(report), ""]
    return "\n".join([*head, *(line for each in report.results for line in _model(each))])


def _model(result: ModelResult) -> Iterator[str]:
    if result.error:
        yield from (f"### {_cell(result.model)}", "", _cell(result.error), "")
    elif result.findings:
        yield from (f"### {_cell(result.model)}", "")
        yield from ("| severity | rule | where | problem | remedy |", "|---|---|---|---|---|")
        yield from map(_row, result.findings[:MOST])
        if len(result.findings) > MOST:
            yield from ("", f"… and {len(result.findings) - MOST} more.")
        yield ""


def _row(finding: Finding) -> str:
    cells = (finding.severity.value, finding.rule, finding.where, finding.problem, finding.remedy)
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """Leave code spans as they are, and escape the rest: `|` ends a cell even in code."""
    parts = re.split(r"(`[^`]*`)", " ".join(map(text_report.plain, text.split())))
    plain = (
        part if part.startswith("`") else re.sub(r"([\\*_\[\]<>#~])", r"\\\1", part)
        for part in parts
    )
    return "".join(plain).replace("|", "\\|")
