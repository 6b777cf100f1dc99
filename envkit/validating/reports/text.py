"""The report for people: findings by model, then one line that sums up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from envkit.errors import InvalidFile
from envkit.formats.credentials import without_credentials
from envkit.formats.text import printable, read_text
from envkit.validating.finding import Finding, Severity
from envkit.validating.report import ModelResult, Report, SharedFinding

_COLOURS = {Severity.ERROR: "31;1", Severity.WARNING: "33;1", Severity.NOTE: "36"}
_SEVERITY = re.compile(r"^(  )?(error|warning|note)(?= |:)")
_SHOWN_MODELS = 5
_MAX_LINE = 160
# rules whose lines hold what must not be repeated
_SECRET = frozenset({"ENV114", "ENV122"})


def render(report: Report, *, colour: bool = False, source: bool = False) -> str:
    """Give the report as text, with nothing of a model in it that a terminal would interpret.

    colour: mark severities with ANSI sequences. source: show the line of each finding.
    """
    lines = [*_model_lines(report, source), *_shared_lines(report), summary(report)]
    shown = map(printable, lines)
    if colour:
        shown = map(_coloured, shown)
    return "".join(f"{line}\n" for line in shown)


def summary(report: Report) -> str:
    """One sentence: how many models, how many findings of each severity."""
    counts = []
    for severity in reversed(Severity):
        count = report.count(severity)
        if count:
            counts.append(counted(count, severity.value))
    models = counted(len(report.results), "model")
    findings = ", ".join(counts) or "no findings"
    text = f"{models}: {findings}"
    if report.errors:
        text += f", {len(report.errors)} could not be read"
    known = sum(result.known for result in report.results)
    if known:
        text += f" ({known} known from the baseline)"
    return f"{text}."


def counted(count: int, name: str) -> str:
    """Give "1 model" or "2 models"."""
    if count == 1:
        return f"1 {name}"
    return f"{count} {name}s"


def _coloured(line: str) -> str:
    """A line whose severity, if it begins with one, has a colour."""
    severity = _SEVERITY.match(line)
    if severity is None:
        return line
    code = _COLOURS[Severity(severity[2])]
    indent = severity[1] or ""
    return f"{indent}\x1b[{code}m{severity[2]}\x1b[0m{line[severity.end() :]}"


def _model_lines(report: Report, source: bool) -> Iterator[str]:
    for result in report.results:
        findings = report.of_one(result)
        if result.error:
            yield f"{result.model}: {result.error}"
        elif findings or result.notes:
            yield result.model
            for finding in findings:
                yield from _finding_lines(finding, result, report, source)
            for note in result.notes:
                yield f"  {note}"
            yield ""


def _finding_lines(
    finding: Finding, result: ModelResult, report: Report, source: bool
) -> Iterator[str]:
    rule = report.rule(finding.rule)
    yield f"  {_heading(finding)} [{rule.name}]"
    problem, *rest = finding.problem.split("\n")
    if rest:
        yield f"    {problem}"
        for line in rest[:-1]:
            yield f"      {line}"
        yield f"      {rest[-1]}."
    else:
        yield f"    {problem}."
    if source and (line := _source_line(finding, result)):
        yield f"    {finding.line} | {line}"
    yield f"    → {finding.remedy}."


def _heading(finding: Finding) -> str:
    heading = f"{finding.severity.value} {finding.rule}"
    if not finding.where:
        return heading
    place = finding.where.replace("\n", "\\n")
    return f"{heading} {place}"


def _source_line(finding: Finding, result: ModelResult) -> str:
    """The line of a finding without credentials; empty when it has none, or it cannot be read."""
    if not finding.line or not finding.file or finding.rule in _SECRET:
        return ""
    root = Path(result.path)
    path = root / finding.file
    if not path.resolve().is_relative_to(root):
        return ""
    try:
        lines = read_text(path).splitlines()
    except InvalidFile:
        return ""
    if finding.line > len(lines):
        return ""
    return without_credentials(lines[finding.line - 1].strip())[:_MAX_LINE]


def _shared_lines(report: Report) -> Iterator[str]:
    for shared in report.shared:
        rule = report.rule(shared.finding.rule)
        yield f"{shared.finding.severity.value} {rule.code} in {_models(shared)} [{rule.name}]"
        yield f"    {shared.finding.problem}."
        yield f"    → {shared.finding.remedy}."
    if report.shared:
        yield ""


def _models(shared: SharedFinding) -> str:
    count = len(shared.models)
    if count > _SHOWN_MODELS:
        return f"{count} models"
    return f"{count} models ({', '.join(shared.models)})"
