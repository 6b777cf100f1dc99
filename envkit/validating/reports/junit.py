"""The report as JUnit XML for Jenkins and GitLab: a suite for each model, a test for each rule.

https://github.com/testmoapp/junitxml, and the schema of Jenkins' xUnit plugin
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET  # only for writing; nothing is parsed

from envkit.formats.text import printable
from envkit.validating.finding import Finding
from envkit.validating.report import ModelResult, Report
from envkit.validating.rule import Rule

COUNTS = ("tests", "failures", "errors")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """Give the report as XML; findings below `fail_on` stand in the output of a passing test."""
    root = ET.Element("testsuites", name="envkit validate")
    totals = dict.fromkeys(COUNTS, 0)
    for result in report.results:
        suite = _suite(result, report)
        root.append(suite)
        for key in COUNTS:
            totals[key] += int(suite.attrib[key])
    for key, total in totals.items():
        root.set(key, str(total))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(result: ModelResult, report: Report) -> ET.Element:
    model = _clean(result.model)
    suite = ET.Element("testsuite", name=model)
    failures = 0
    if result.error:
        case = ET.SubElement(suite, "testcase", classname=model, name="model can be read")
        ET.SubElement(case, "error", type="ModelNotFound", message=_clean(result.error))
    else:
        for rule in report.rules:
            case = _case(rule, result, report)
            suite.append(case)
            failures += case.find("failure") is not None
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    suite.set("errors", "1" if result.error else "0")
    suite.set("time", f"{result.seconds:.3f}")
    return suite


def _case(rule: Rule, result: ModelResult, report: Report) -> ET.Element:
    case = ET.Element(
        "testcase",
        classname=_clean(result.model),
        name=f"{rule.code} {rule.name}",
    )
    failing: list[Finding] = []
    passing: list[Finding] = []
    for finding in result.findings:
        if finding.rule != rule.code:
            continue
        if finding.severity.reaches(report.fail_on):
            failing.append(finding)
        else:
            passing.append(finding)
    if failing:
        case.append(_failure(failing))
    if passing:
        output = ET.SubElement(case, "system-out")
        output.text = _text(passing)
    return case


def _failure(findings: list[Finding]) -> ET.Element:
    first = findings[0]
    message = first.problem
    if len(findings) > 1:
        message += f" (and {len(findings) - 1} more)"
    failure = ET.Element("failure", type=first.severity.value, message=_clean(message))
    failure.text = _text(findings)
    return failure


def _text(findings: Iterable[Finding]) -> str:
    lines = []
    for finding in findings:
        line = f"{finding.severity.value}: {finding.message}"
        if finding.where:
            line = f"{finding.where}: {line}"
        lines.append(line)
    return _clean("\n".join(lines))


def _clean(text: str) -> str:
    """Escape what a reader would not see as it is, and replace what XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", printable(text))
