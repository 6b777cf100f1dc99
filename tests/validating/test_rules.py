"""Every rule: its declaration, its page and the examples there, and a sound model."""

from __future__ import annotations

import importlib
import re

import pytest

from envkit.validating.finding import Stage
from envkit.validating.rules import all_rules
from tests.builders.rule_pages import PAGES, QUICK, RULES, lay_over, page
from tests.builders.runnable_model import options_for
from tests.builders.sound_model import Sound, findings_of

LATER = [code for code in RULES if code not in QUICK]


def test_codes_and_names_are_unique_and_each_code_begins_with_the_number_of_its_stage() -> None:
    stages = {stage: number for number, stage in enumerate(Stage, 1)}

    assert len({rule.name for rule in all_rules()}) == len(RULES) == len(all_rules())
    for rule in all_rules():
        assert rule.code.startswith(f"ENV{stages[rule.stage]}")
        assert rule.summary


@pytest.mark.parametrize("code", RULES)
def test_a_rule_is_found_in_the_file_of_its_name(code: str) -> None:
    rule = RULES[code]
    module = importlib.import_module(rule.check.__module__)

    folder, file = rule.check.__module__.split(".")[-2:]
    assert (folder, file) == (rule.stage.value, rule.name.replace("-", "_"))
    assert f"Rule `{rule.name}`: " in str(module.__doc__)


@pytest.mark.parametrize("code", RULES)
def test_the_page_of_a_rule_says_what_the_rule_says(code: str) -> None:
    rule = RULES[code]
    text = page(rule)

    assert text.startswith(f"# {code} `{rule.name}`\n")
    assert f"Stage `{rule.stage.value}`, severity {rule.severity.value}." in text
    assert rule.summary.lower() in text.lower()
    assert f"| [{code}]({code}.md) | `{rule.name}` |" in (PAGES / "README.md").read_text(
        encoding="utf-8"
    )


def test_every_page_belongs_to_a_rule() -> None:
    assert {path.stem for path in PAGES.glob("ENV*.md")} == set(RULES)


@pytest.mark.parametrize("code", QUICK)
def test_a_rule_reports_the_bad_example_of_its_page_and_not_the_good_one(
    sound: Sound, code: str
) -> None:
    rule = RULES[code]
    scanners = ("picklescan",) if rule.name == "scanner-alarm" else ()
    bad, good = sound(name="bad"), sound(name="good")
    lay_over(bad, page(rule), "Bad")
    lay_over(good, page(rule), "Good")

    findings = findings_of(bad, code, scanners=scanners)
    assert findings
    assert rule.severity in {finding.severity for finding in findings}
    for finding in findings:
        assert finding.rule == code
        assert not finding.problem.endswith(".")
        assert not finding.remedy.endswith(".")
    assert findings_of(good, code, scanners=scanners) == []


@pytest.mark.e2e
@pytest.mark.parametrize("code", LATER)
def test_a_rule_of_a_later_stage_reports_the_bad_example_of_its_page_and_not_the_good_one(
    running: Sound, code: str
) -> None:
    rule = RULES[code]
    bad, good = running(name="bad"), running(name="good")
    lay_over(bad, page(rule), "Bad")
    lay_over(good, page(rule), "Good")

    findings = findings_of(bad, code, **options_for(bad, rule.stage))
    assert rule.severity in {finding.severity for finding in findings}
    for finding in findings:
        assert finding.rule == code
        assert not finding.problem.endswith(".")
        assert not finding.remedy.endswith(".")
    assert findings_of(good, code, **options_for(good, rule.stage)) == []


def test_no_rule_reports_a_sound_model(sound: Sound) -> None:
    model = sound()

    assert [finding for code in QUICK for finding in findings_of(model, code)] == []


def test_the_index_of_the_rules_names_each_with_its_stage_and_severity_in_order() -> None:
    rows = re.findall(
        r"^\| \[ENV.*$", (PAGES / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert rows == [
        f"| [{rule.code}]({rule.code}.md) | `{rule.name}` "
        f"| {rule.stage.value} | {rule.severity.value} "
        f"| {rule.summary[0].upper()}{rule.summary[1:]} |"
        for rule in all_rules()
    ]
