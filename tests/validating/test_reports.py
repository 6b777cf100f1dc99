"""Reports, each read by its readers: SARIF's schema, a JUnit reader, GitHub's runner."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import jsonschema  # type: ignore[import-untyped]
import pytest
from junitparser import JUnitXml

from envkit.errors import InvalidArgument
from envkit.validating import output
from envkit.validating.report import Report
from envkit.validating.validate import validate
from tests.builders.sound_model import Sound

SCHEMA = json.loads(
    (Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8")
)
ODD = "odd, 100%:\n<name> é"


@pytest.fixture
def report(sound: Sound, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Report:
    """Three models: a sound one, one with findings whose name must be escaped, a missing one."""
    monkeypatch.chdir(tmp_path)
    sound(name="good")
    sound({"requirements.txt": "acme>=1.0 ; python_version > '3' # | * \n"}, name=ODD)
    return validate(["good", ODD, "nowhere"], keep_going=True)


def test_sarif_is_valid_and_names_rule_file_and_line(report: Report) -> None:
    log = json.loads(output.render(report, "sarif"))

    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    run = log["runs"][0]
    assert run["tool"]["driver"]["name"] == "envkit"
    assert not run["invocations"][0]["executionSuccessful"]
    assert "nowhere" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    found = next(result for result in run["results"] if result["ruleId"] == "ENV120")
    place = found["locations"][0]["physicalLocation"]
    assert unquote(place["artifactLocation"]["uri"]) == f"{ODD}/requirements.txt"
    assert place["region"]["startLine"] == 1


def test_junit_is_read_by_a_reader_of_it_and_counts_right(report: Report) -> None:
    read = JUnitXml.fromstring(output.render(report, "junit").encode())

    suites = list(read)
    assert [(suite.name, suite.failures > 0, suite.errors) for suite in suites] == [
        ("good", False, 0),
        (ODD, True, 0),
        ("nowhere", False, 1),
    ]
    assert read.tests == sum(suite.tests for suite in suites) == 2 * len(report.rules) + 1
    failed = {case.name: case.result[0] for case in suites[1] if case.result}
    assert "acme>=1.0" in failed["ENV120 unpinned"].message


def test_githubs_runner_reads_the_annotations(report: Report) -> None:
    lines = output.render(report, "github").splitlines()

    assert lines[0].startswith(("::error", "::warning"))
    found = next(line for line in lines if "ENV120" in line)
    command = re.fullmatch(
        r"::(\w+) (.*?)::(.*)", found
    )  # as the runner's ActionCommand takes it apart
    assert command is not None
    properties = dict(item.split("=", 1) for item in command[2].split(","))
    plain = {key: unescaped(value, ",:") for key, value in properties.items()}
    assert plain == {"file": f"{ODD}/requirements.txt", "line": "1", "title": "ENV120 unpinned"}
    assert unescaped(command[3], "").startswith(f"{ODD}: `acme>=1.0")


def unescaped(text: str, more: str) -> str:
    for letter in ("\r", "\n", *more, "%"):
        text = text.replace(f"%{ord(letter):02X}", letter)
    return text


def test_markdown_keeps_a_table_whole_whatever_the_cells_hold(report: Report) -> None:
    text = output.render(report, "markdown")

    assert text.startswith("## envkit validate: failed\n")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1
    assert any("ENV120" in row for row in rows)


def test_json_and_text_have_the_same_findings(report: Report) -> None:
    content = json.loads(output.render(report, "json"))
    text = output.render(report, "text")

    assert not content["ok"]
    assert content["summary"]["models"] == 3
    assert content["models"][2]["error"].startswith("No model at nowhere")
    for finding in content["models"][1]["findings"]:
        assert f"{finding['severity']} {finding['rule']}" in text
        assert f"{finding['problem']}." in text
    assert text.splitlines()[-1].startswith("3 models: ")


def test_a_report_without_findings_is_one_line(sound: Sound) -> None:
    assert output.render(validate(sound()), "text") == "1 model: no findings.\n"


def test_several_reports_go_to_several_places(report: Report, tmp_path: Path) -> None:
    first, second = output.outputs(["sarif=out/a.sarif", "text"])
    output.write(report, first)

    assert second.file is None
    assert json.loads((tmp_path / "out" / "a.sarif").read_text())["version"] == "2.1.0"


@pytest.mark.parametrize("words", [["html"], ["json="], ["json", "text"], ["json=a", "text=a"]])
def test_invalid_outputs_are_refused(words: list[str]) -> None:
    with pytest.raises(InvalidArgument):
        output.outputs(words)


HOSTILE = "\x1b\x9b\u061c\u200b\u200e\u200f\u202e\u2066\u2069\ufeff"


@pytest.mark.parametrize("form", ["text", "markdown", "github", "sarif", "junit", "json"])
def test_no_report_holds_control_or_direction_characters_of_a_model(
    sound: Sound, form: str
) -> None:
    model = sound({f"a{HOSTILE}b.pkl": b"cos\nsystem\n.", "envkit.json": None})

    shown = output.render(validate(model), form)

    assert not set(HOSTILE) & set(shown)
    assert "u202e" in shown or "%E2%80%AE" in shown


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_control_characters_in_a_name_do_not_reach_the_terminal(sound: Sound, form: str) -> None:
    model = sound({"a\x1b[31mb\nc.pkl": b"cos\nsystem\n.", "envkit.json": None})

    shown = output.render(validate(model), form)

    assert "\x1b" not in shown
    assert "\\x1b[31mb\\nc.pkl" in shown or form == "markdown"
