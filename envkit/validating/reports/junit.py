"""The report as JUnit XML for Jenkins and GitLab: a suite for each model, a test for each rule.

https://github.com/testmoapp/junitxml, and the schema of Jenkins' xUnit plugin
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET  # only for writing; nothing is parsed

from envkit.validating.finding import Finding
from envkit.validating.report import ModelResult, Report
from envkit.validating.rule import Rule

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """Give the report as XML; findings below `fail_on` stand in the output of a passing test."""
    suites = [_suite(result, report) for result in report.results]
    root = ET.Element("testsuites", name="envkit validate")
    root.extend(suites)
    for key in ("tests", "failures", "errors"):
        total = sum(int(suite.get(key, "0")) for suite in suites)
        root.set(key, str(total))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(result: ModelResult, report: Report) -> ET.Element:
    model = _clean(result.model)
    suite = ET.Element("testsuite", name=model)
    if result.error:
        case = ET.SubElement(suite, "testcase", classname=model, name="model can be read")
        ET.SubElement(case, "error", type="ModelNotFound", message=_clean(result.error))
    else:
        suite.extend(_case(rule, result, report) for rule in report.rules)
    failures = [case for case in suite if case.find("failure") is not None]
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(failures)))
    suite.set("errors", "1" if result.error else "0")
    suite.set("time", f"{result.seconds:.3f}")
    return suite


def _case(rule: Rule, result: ModelResult, report: Report) -> ET.Element:
    name = f"{rule.code} {rule.name}"
    case = ET.Element("testcase", classname=_clean(result.model), name=name)
    findings = [finding for finding in result.findings if finding.rule == rule.code]
    failing = [finding for finding in findings if finding.severity.reaches(report.fail_on)]
    others = [finding for finding in findings if finding not in failing]
    if failing:
        message = failing[0].problem
        if len(failing) > 1:
            message += f" (and {len(failing) - 1} more)"
        first = failing[0].severity.value
        failure = ET.SubElement(case, "failure", type=first, message=_clean(message))
        failure.text = _text(failing)
    if others:
        ET.SubElement(case, "system-out").text = _text(others)
    return case


def _text(findings: Iterable[Finding]) -> str:
    lines = []
    for finding in findings:
        place = f"{finding.where}: " if finding.where else ""
        lines.append(f"{place}{finding.severity.value}: {finding.message}")
    return _clean("\n".join(lines))


def _clean(text: str) -> str:
    """Replace what XML 1.0 cannot hold, such as control characters in a file name."""
    return _NOT_XML.sub("\ufffd", text)
