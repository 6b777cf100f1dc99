"""`envkit validate` and `envkit.validate`: rules, settings, baselines, models, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import envkit
from envkit.cli.main import main
from envkit.errors import InvalidArgument, InvalidFile, ModelNotFound
from envkit.validating.finding import Severity
from tests.builders.files import write_files
from tests.builders.sound_model import Sound

UNPINNED = {
    "requirements.txt": "acme>=1.0\n",
    "envkit.json": None,
    "pylock.toml": None,
    "conda.yaml": None,
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without settings as the working directory."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return project


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, words)], catch_exceptions=False)


def rules(result: Result) -> set[str]:
    return {
        finding["rule"]
        for model in json.loads(result.stdout)["models"]
        for finding in model["findings"]
    }


def test_a_sound_model_exits_with_0_and_one_with_findings_with_1(sound: Sound) -> None:
    good, bad = run(sound(name="good")), run(sound(UNPINNED, name="bad"))

    assert (good.exit_code, good.stdout) == (0, "1 model: no findings.\n")
    assert bad.exit_code == 1
    assert "error ENV120 requirements.txt:1 [unpinned]" in bad.stdout


def test_a_missing_model_exits_with_3_and_the_others_are_validated(sound: Sound) -> None:
    result = run(sound(UNPINNED), "nowhere", "--json")

    assert result.exit_code == 3
    assert "ENV120" in rules(result)
    assert "Error: No model at nowhere" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--select", "ENV999"],
        ["--severity", "x"],
        ["--severity", "ENV1=fatal"],
        ["--format", "pdf"],
        ["--scan", "nothing"],
        ["--json", "--format", "text"],
        ["-j", "-1"],
        ["--fail-on", "never"],
    ],
)
def test_wrong_usage_exits_with_2(sound: Sound, words: list[str]) -> None:
    model = [sound()] if words else []

    assert run(*model, *words).exit_code == 2


def test_rules_are_chosen_by_code_beginning_and_name(sound: Sound) -> None:
    model = sound(UNPINNED)

    assert rules(run(model, "--json", "--select", "ENV120,unhashed")) == {"ENV120", "ENV121"}
    assert rules(run(model, "--json", "--select", "ENV12", "--ignore", "ENV121")) == {"ENV120"}
    assert "ENV120" not in rules(run(model, "--json", "--ignore", "unpinned"))
    assert run(model, "--select", "env2", "--ignore", "ALL").exit_code == 0


def test_what_fails_is_chosen_by_severity(sound: Sound) -> None:
    model = sound(UNPINNED)

    assert run(model, "--select", "ENV121", "--fail-on", "error").exit_code == 0
    assert (
        run(
            model, "--select", "ENV121", "--fail-on", "error", "--severity", "unhashed=error"
        ).exit_code
        == 1
    )
    assert run(model, "--select", "ENV109").exit_code == 0
    assert run(model, "--select", "ENV109", "--fail-on", "note").exit_code == 1


def test_a_baseline_hides_what_it_knows_and_nothing_else_also_after_lines_moved(
    sound: Sound,
) -> None:
    model = sound(UNPINNED)
    assert run(model, "--write-baseline", "known.json").exit_code == 0

    write_files(model, {"requirements.txt": "# moved\n\nacme>=1.0\n"})
    known = run(model, "--baseline", "known.json")
    assert known.exit_code == 0
    assert "known from the baseline" in known.stdout
    write_files(model, {"requirements.txt": "acme>=1.0\nextra\n"})
    assert "`extra`" in run(model, "--baseline", "known.json").stdout


@pytest.mark.parametrize("content", [None, "[]", '{"models": {"a": 1}}', "x"])
def test_an_invalid_baseline_exits_with_3(sound: Sound, content: str | None) -> None:
    if content is not None:
        Path("known.json").write_text(content)

    assert run(sound(), "--baseline", "known.json").exit_code == 3


@pytest.mark.parametrize("file", ["pyproject.toml", "envkit.toml"])
def test_settings_of_the_project_count_and_options_come_before_them(
    sound: Sound, elsewhere: Path, file: str
) -> None:
    head = "[tool.envkit]\n" if file == "pyproject.toml" else ""
    sub = "tool.envkit.severity" if head else "severity"
    (elsewhere / file).write_text(
        f'{head}select = ["ENV121"]\nfail-on = "error"\n[{sub}]\nENV121 = "note"\n'
    )
    model = sound(UNPINNED)

    result = run(model, "--json")
    assert (result.exit_code, rules(result)) == (0, {"ENV121"})
    assert "ENV120" in rules(run(model, "--json", "--select", "ENV12"))
    assert run(model, "--fail-on", "note").exit_code == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("select = 1", "envkit.toml, select: expected a list, found"),
        ("unknown = 1", "envkit.toml, unknown: is not a setting"),
        ('fail-on = "x"', "envkit.toml, fail-on: expected note, warning, error, found 'x'"),
        ("jobs = -1", "envkit.toml, jobs: expected a whole number from 0"),
        ("jobs = true", "envkit.toml, jobs: expected a whole number from 0"),
        ("rtol = inf", "envkit.toml, rtol: expected a number from 0"),
        ("[", "envkit.toml: is not valid TOML"),
        ('[severity]\nENV1 = "x"', "envkit.toml, severity.ENV1: expected note, warning, error"),
    ],
)
def test_malformed_settings_are_refused_with_file_and_key(
    sound: Sound, elsewhere: Path, content: str, problem: str
) -> None:
    (elsewhere / "envkit.toml").write_text(content)
    result = run(sound())

    assert result.exit_code == 3
    assert problem in result.stderr


def test_settings_that_select_an_unknown_rule_exit_with_2(sound: Sound, elsewhere: Path) -> None:
    (elsewhere / "envkit.toml").write_text('select = ["X"]')
    result = run(sound())

    assert result.exit_code == 2
    assert "'X' is not a rule" in result.stderr


@pytest.mark.parametrize(
    ("content", "key"), [("tool = 1", "tool"), ("[tool]\nenvkit = 1", "tool.envkit")]
)
def test_settings_that_are_not_a_table_are_refused(
    sound: Sound, elsewhere: Path, content: str, key: str
) -> None:
    (elsewhere / "pyproject.toml").write_text(content)
    result = run(sound())

    assert result.exit_code == 3
    assert f"pyproject.toml, {key}: expected keys with values, found the number 1" in result.stderr


def test_a_model_cannot_turn_off_what_checks_it(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = sound(
        {
            **UNPINNED,
            "envkit.toml": 'ignore = ["ALL"]\n',
            "pyproject.toml": '[tool.envkit]\nignore = ["ALL"]\n',
        }
    )
    monkeypatch.chdir(model)

    assert run(model).exit_code == 1
    assert run(".").exit_code == 1


def test_several_processes_give_the_same_report_as_one(sound: Sound) -> None:
    models = [sound(UNPINNED if number % 2 else None, name=f"m{number}") for number in range(6)]

    one, two = run(*models, "--json"), run(*models, "--json", "-j", "2")
    assert one.stdout == two.stdout
    assert two.exit_code == 1


def test_changed_files_lead_to_their_models(sound: Sound, tmp_path: Path) -> None:
    model = sound(UNPINNED)
    (tmp_path / "notes.txt").write_text("")

    result = run(
        "--changed",
        "--json",
        model / "requirements.txt",
        model / "code/loader.py",
        tmp_path / "notes.txt",
    )
    assert [result["model"] for result in json.loads(result.stdout)["models"]] == [str(model)]
    nothing = run("--changed", tmp_path / "notes.txt")
    assert (nothing.exit_code, nothing.stdout) == (0, "")


def test_the_rules_are_listed() -> None:
    result = run("--list-rules")

    assert result.exit_code == 0
    assert (
        "ENV120  error    files    unpinned: every requirement admits one version only."
        in result.stdout
    )


def test_a_bare_artifact_is_validated_too(sound: Sound, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "model.pkl").write_bytes(b"cposix\nsystem\n(S'id'\ntR.")

    assert "ENV210" in rules(run(tmp_path / "bare" / "model.pkl", "--json"))


def test_python_gets_a_report_and_exceptions(sound: Sound) -> None:
    model = sound(UNPINNED)
    report = envkit.validate(
        model, select=["ENV120"], severity={"ENV120": "warning"}, profile="strict"
    )

    assert not report.ok
    assert [(finding.rule, finding.severity, finding.where) for finding in report.findings] == [
        ("ENV120", Severity.WARNING, "requirements.txt:1")
    ]
    with pytest.raises(ModelNotFound):
        envkit.validate([model, "nowhere"])
    with pytest.raises(InvalidArgument):
        envkit.validate(model, fail_on="never")
    with pytest.raises(InvalidFile):
        envkit.validate(model, settings="absent.toml")


def test_validating_runs_no_code_of_the_model_and_changes_nothing(sound: Sound) -> None:
    model = sound(
        {
            "code/loader.py": "raise SystemExit(9)\n",
            "code/sitecustomize.py": "raise SystemExit(9)\n",
        }
    )
    before = sorted((path, path.stat().st_mtime_ns) for path in model.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-m", "envkit", "validate", model], capture_output=True, check=False
    )

    assert done.returncode == 1, done.stderr
    assert sorted((path, path.stat().st_mtime_ns) for path in model.rglob("*")) == before


def test_a_named_pipe_is_not_a_model_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.pkl")

    assert run(tmp_path / "model.pkl").exit_code == 3
