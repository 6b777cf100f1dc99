"""The report as Markdown, for the summary of a pipeline's step or a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envkit.formats.text import printable
from envkit.validating.finding import Finding
from envkit.validating.report import ModelResult, Report
from envkit.validating.reports import text as text_report

MAX_ROWS = 200  # for each model: GitHub shows a megabyte for each step
_CODE_SPAN = re.compile(r"(`[^`]*`)")
_MARKUP = re.compile(r"([\\*_\[\]<>#~])")


def render(report: Report) -> str:
    """Give a heading, a sentence, and a table for each model with findings."""
    verdict = "passed" if report.ok else "failed"
    lines = [f"## envkit validate: {verdict}", "", text_report.summary(report), ""]
    for result in report.results:
        lines += _model_lines(result, report.of_one(result))
    lines += _shared_lines(report)
    return "\n".join(lines)


def _model_lines(result: ModelResult, findings: Sequence[Finding]) -> Iterator[str]:
    if not result.error and not findings:
        return
    yield f"### {_cell(result.model)}"
    yield ""
    if result.error:
        yield _cell(result.error)
        yield ""
        return
    yield "| severity | rule | where | problem | remedy |"
    yield "|---|---|---|---|---|"
    yield from map(_row, findings[:MAX_ROWS])
    if len(findings) > MAX_ROWS:
        yield ""
        yield f"… and {len(findings) - MAX_ROWS} more."
    yield ""


def _shared_lines(report: Report) -> Iterator[str]:
    if not report.shared:
        return
    yield "### In several models"
    yield ""
    yield "| severity | rule | models | problem | remedy |"
    yield "|---|---|---|---|---|"
    for shared in report.shared:
        finding = shared.finding
        count = str(len(shared.models))
        cells = (finding.severity.value, finding.rule, count, finding.problem, finding.remedy)
        yield f"| {' | '.join(map(_cell, cells))} |"
    yield ""


def _row(finding: Finding) -> str:
    cells = (finding.severity.value, finding.rule, finding.where, finding.problem, finding.remedy)
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """Leave code spans as they are, and escape the rest: `|` ends a cell even in code."""
    one_line = " ".join(map(printable, text.split()))
    parts = []
    for part in _CODE_SPAN.split(one_line):
        is_code = part.startswith("`")
        parts.append(part if is_code else _MARKUP.sub(r"\\\1", part))
    return "".join(parts).replace("|", "\\|")
