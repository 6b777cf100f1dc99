"""The report as JUnit XML: a suite for each model, a test for each rule, as Jenkins and GitLab read it.

https://github.com/testmoapp/junitxml, and the schema of Jenkins' xUnit plugin
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET  # only written with; nothing is parsed

from envkit.validating.finding import Finding
from envkit.validating.report import ModelResult, Report
from envkit.validating.rule import Rule

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """Give the report as XML. Findings below `fail_on` are no failures; they stand in the test's output."""
    root = ET.Element("testsuites", name="envkit validate")
    for result in report.results:
        root.append(_suite(result, report))
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(result: ModelResult, report: Report) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(result.model))
    if result.error:
        case = ET.SubElement(
            suite, "testcase", classname=_clean(result.model), name="model can be read"
        )
        ET.SubElement(case, "error", type="ModelNotFound", message=_clean(result.error))
    else:
        suite.extend(_case(rule, result, report) for rule in report.rules)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in suite)))
    suite.set("errors", str(sum(case.find("error") is not None for case in suite)))
    suite.set("time", f"{result.seconds:.3f}")
    return suite


def _case(rule: Rule, result: ModelResult, report: Report) -> ET.Element:
    case = ET.Element("testcase", classname=_clean(result.model), name=f"{rule.code} {rule.name}")
    found = [each for each in result.findings if each.rule == rule.code]
    failing = [each for each in found if each.severity.reaches(report.fail_on)]
    if failing:
        if len(failing) > 1:
            more = f" (and {len(failing) - 1} more)"
        else:
            more = ""
        kind = max(
            failing, key=lambda each: each.severity.reaches(failing[0].severity)
        ).severity.value
        failure = ET.SubElement(
            case, "failure", type=kind, message=_clean(f"{failing[0].problem}{more}")
        )
        failure.text = _clean("\n".join(map(_line, failing)))
    if told := [each for each in found if each not in failing]:
        ET.SubElement(case, "system-out").text = _clean("\n".join(map(_line, told)))
    return case


def _line(finding: Finding) -> str:
    where = f"{finding.where}: " if finding.where else ""
    return f"{where}{finding.severity.value}: {finding.message}"


def _clean(text: str) -> str:
    """Replace what XML 1.0 has no place for, such as control characters in a file name."""
    return _NOT_XML.sub("\ufffd", text)
