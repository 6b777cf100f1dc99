"""The report as annotations of GitHub Actions: commands on standard output that the runner reads.

GitHub shows ten errors and ten warnings of a step: errors come first, then warnings, then what many
models share; notes are left out unless they fail.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from envkit.formats import mlmodel
from envkit.formats.text import printable
from envkit.validating.finding import Finding, Severity
from envkit.validating.report import ModelResult, Report

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(report: Report) -> str:
    """Give one command a line, with files relative to `GITHUB_WORKSPACE`."""
    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    return "".join(f"{command}\n" for command in _commands(report, root))


def _commands(report: Report, root: Path) -> Iterator[str]:
    for result in report.results:
        if result.error:
            message = _message(f"{result.model}: {result.error}")
            yield f"::error title=envkit::{message}"
    found = [(finding, each) for each in report.results for finding in report.of_one(each)]
    for severity in reversed(Severity):
        if severity is Severity.NOTE and report.fail_on is not Severity.NOTE:
            continue
        for finding, result in found:
            if finding.severity is severity:
                yield _command(finding, result, _title(report, finding), root)
        for shared in report.shared:
            if shared.finding.severity is severity:
                message = _message(f"{len(shared.models)} models: {shared.finding.message}")
                title = _property(_title(report, shared.finding))
                yield f"::{_COMMANDS[severity]} title={title}::{message}"


def _title(report: Report, finding: Finding) -> str:
    rule = report.rule(finding.rule)
    return f"{rule.code} {rule.name}"


def _command(finding: Finding, result: ModelResult, title: str, root: Path) -> str:
    path = Path(result.path, finding.file or mlmodel.FILE_NAME)
    if path.is_relative_to(root):
        path = path.relative_to(root)
    file = _property(path.as_posix())
    line = max(finding.line, 1)
    properties = f"file={file},line={line},title={_property(title)}"
    place = result.model
    if finding.field:
        place += f" [{finding.field}]"
    message = _message(f"{place}: {finding.message}")
    command = _COMMANDS[finding.severity]
    return f"::{command} {properties}::{message}"


def _message(text: str) -> str:
    """Escape a message as the runner's toolkit does."""
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property as the runner's toolkit does."""
    message = _message(text)
    return message.replace(":", "%3A").replace(",", "%2C")
