"""The report as SARIF 2.1.0, which code hosts and editors show next to the files.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from envkit.formats import mlmodel
from envkit.formats.text import printable
from envkit.validating.finding import Finding
from envkit.validating.report import ModelResult, Report
from envkit.validating.rule import Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(report: Report) -> str:
    """Give the report as one run; files below the working directory are relative to it."""
    indexes = {rule.code: index for index, rule in enumerate(report.rules)}
    run = {
        "tool": {"driver": _driver(report)},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"PROJECTROOT": {"uri": f"{_uri(Path.cwd())}/"}},
        "invocations": [_invocation(report)],
        "results": [
            _result(finding, result, indexes[finding.rule])
            for result in report.results
            for finding in result.findings
        ],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _driver(report: Report) -> dict[str, Any]:
    return {
        "name": "envkit",
        "version": version("envkit"),
        "rules": [_rule(rule) for rule in report.rules],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    text = f"{rule.summary}.\n\n{rule.explanation}".strip()
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": f"{rule.summary}."},
        "fullDescription": {"text": text},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {"tags": [rule.stage.value]},
    }


def _invocation(report: Report) -> dict[str, Any]:
    return {
        "executionSuccessful": not report.errors,
        "exitCode": report.exit_code,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": printable(error)}} for error in report.errors
        ],
    }


def _result(finding: Finding, result: ModelResult, rule_index: int) -> dict[str, Any]:
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": finding.severity.value,
        "message": {"text": printable(finding.message)},
        "locations": [{"physicalLocation": _location(finding, result)}],
        "partialFingerprints": {"envkit/v1": finding.fingerprint},
    }


def _location(finding: Finding, result: ModelResult) -> dict[str, Any]:
    # a finding about the model as a whole has no file
    path = Path(result.path, finding.file or mlmodel.FILE_NAME)
    root = Path.cwd()
    place = {"uri": _uri(path)}
    if path.is_relative_to(root):
        place = {"uri": _quoted(path.relative_to(root)), "uriBaseId": "PROJECTROOT"}
    return {"artifactLocation": place, "region": {"startLine": max(finding.line, 1)}}


def _uri(path: Path) -> str:
    return f"file://{_quoted(path)}"


def _quoted(path: Path) -> str:
    return quote(path.as_posix().encode("utf-8", "surrogateescape"))
