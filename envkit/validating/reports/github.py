"""The report as annotations of GitHub Actions: commands on standard output that the runner reads.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from envkit.formats import mlmodel
from envkit.validating.finding import Finding, Severity
from envkit.validating.report import ModelResult, Report

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(report: Report) -> str:
    """Give one command a line; the files are relative to `GITHUB_WORKSPACE`, else to the working directory."""
    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    return "".join(
        f"{line}\n" for result in report.results for line in _lines(result, report, root)
    )


def _lines(result: ModelResult, report: Report, root: Path) -> Iterator[str]:
    if result.error:
        yield f"::error title=envkit::{_data(f'{result.model}: {result.error}')}"
    for each in result.findings:
        yield _command(each, result, report, root)


def _command(finding: Finding, result: ModelResult, report: Report, root: Path) -> str:
    path = Path(result.path, finding.file or mlmodel.FILE_NAME)
    if path.is_relative_to(root):
        file = path.relative_to(root).as_posix()
    else:
        file = str(path)
    properties = {
        "file": file,
        "line": str(max(finding.line, 1)),
        "title": f"{finding.rule} {report.rule(finding.rule).name}",
    }
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    place = f" [{finding.field}]" if finding.field else ""
    return f"::{_COMMANDS[finding.severity]} {told}::{_data(f'{result.model}{place}: {finding.message}')}"


def _data(text: str) -> str:
    """Escape a message as the runner's toolkit does."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property as the runner's toolkit does."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
