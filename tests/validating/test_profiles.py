"""Profiles: what fails by default, what is said once, and the tables over many models."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from envkit.cli.main import main
from tests.builders.files import write_files
from tests.builders.sound_model import FILES, Sound

# What MLflow saves: no evidence, no lock, a requirement that nothing imports, in no order.
UNTOUCHED = {
    "requirements.txt": "mlflow==3.1.4\nacme==1.0\n",
    "conda.yaml": FILES["conda.yaml"].replace(
        "  - acme==1.0\n  - -c constraints.txt\n", "  - mlflow==3.1.4\n  - acme==1.0\n"
    ),
    "constraints.txt": None,
    "envkit.json": None,
    "pylock.toml": None,
}
BROKEN = {**UNTOUCHED, "requirements.txt": "mlflow==3.1.4\nacme>=1.0\n"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without settings as the working directory, and a user without profiles."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return project


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, words)], catch_exceptions=False)


def rules(result: Result) -> set[str]:
    models = json.loads(result.stdout)["models"]
    return {finding["rule"] for model in models for finding in model["findings"]}


def test_an_untouched_model_passes_the_default_profile_and_a_broken_one_fails(sound: Sound) -> None:
    untouched, broken = sound(UNTOUCHED, name="untouched"), sound(BROKEN, name="broken")

    assert run(untouched).exit_code == 0
    assert run(broken).exit_code == 1
    assert run(untouched, "--profile", "strict").exit_code == 1
    assert run(untouched, "--fail-on", "warning").exit_code == 1


def test_the_profile_for_mlflow_reports_nothing_of_an_untouched_model(sound: Sound) -> None:
    model = sound(UNTOUCHED)

    assert rules(run(model, "--profile", "mlflow", "--json")) == set()
    assert {"ENV109", "ENV121"} <= rules(run(model, "--json"))


def test_what_many_models_lack_is_said_once(sound: Sound) -> None:
    models = [sound(UNTOUCHED, name=name) for name in "abc"]

    once, each = run(*models), run(*models, "--profile", "strict")
    assert once.stdout.count("ENV121") == 1
    assert "warning ENV121 in 3 models" in once.stdout
    assert each.stdout.count("ENV121") == 3
    shared = {entry["rule"]: entry for entry in json.loads(run(*models, "--json").stdout)["shared"]}
    assert shared["ENV121"]["models"] == [str(model) for model in models]


def test_what_fails_is_always_said_of_its_model(sound: Sound) -> None:
    models = [sound(UNTOUCHED, name=name) for name in "ab"]

    assert run(*models, "--severity", "ENV121=error").stdout.count("error ENV121") == 2


def test_a_profile_is_a_file_in_the_users_settings_or_anywhere(
    sound: Sound, tmp_path: Path
) -> None:
    model = sound(BROKEN)
    text = 'ignore = ["ENV120", "ENV103"]\nfail-on = "error"\n'
    write_files(tmp_path, {"config/envkit/profiles/ours.toml": text, "other/mine.toml": text})

    assert run(model).exit_code == 1
    assert run(model, "--profile", "ours").exit_code == 0
    assert run(model, "--profile", tmp_path / "other" / "mine.toml").exit_code == 0


def test_a_project_names_its_profile_and_takes_precedence(sound: Sound, elsewhere: Path) -> None:
    model = sound(UNTOUCHED)
    write_files(elsewhere, {"envkit.toml": 'profile = "strict"\n'})
    assert run(model).exit_code == 1

    write_files(elsewhere, {"envkit.toml": 'profile = "strict"\nfail-on = "error"\n'})
    assert run(model).exit_code == 0
    assert run(model, "--profile", "strict", "--fail-on", "warning").exit_code == 1

    write_files(elsewhere, {"envkit.toml": 'profile = "sub/p.toml"\n', "sub/p.toml": "once = []\n"})
    assert run(model).exit_code == 1


@pytest.mark.parametrize("name", ["nothing", "nothing.toml", "../default"])
def test_an_unknown_profile_is_wrong_usage_that_lists_the_profiles(sound: Sound, name: str) -> None:
    result = run(sound(), "--profile", name)

    assert result.exit_code == 2
    assert "default, mlflow, strict" in result.stderr


def test_a_model_cannot_choose_its_profile(sound: Sound) -> None:
    model = sound({**BROKEN, "envkit.toml": 'profile = "mlflow"\nignore = ["ALL"]\n'})

    assert run(model).exit_code == 1


def test_statistics_count_findings_and_models_of_each_rule(sound: Sound) -> None:
    models = [sound(UNTOUCHED, name="a"), sound(BROKEN, name="b")]
    lines = run(*models, "--statistics").stdout.splitlines()

    assert lines[0].split() == ["rule", "name", "severity", "findings", "models"]
    assert ["ENV121", "unhashed", "warning", "2", "2"] in [line.split() for line in lines]
    assert ["ENV120", "unpinned", "error", "1", "1"] in [line.split() for line in lines]


def test_the_summary_gives_verdict_and_worst_finding_of_each_model(sound: Sound) -> None:
    good, bad = sound(UNTOUCHED, name="good"), sound(BROKEN, name="bad")
    result = run(good, bad, "nowhere", "--summary")

    rows = result.stdout.splitlines()
    assert re.match(rf"{good} +passed +warning ENV121 ", rows[1])
    assert re.match(rf"{bad} +failed +error ENV1\d\d ", rows[2])
    assert re.match(r"nowhere +unreadable +No model", rows[3])
    assert result.exit_code == 3
    assert run(good, "--summary", "--json").exit_code == 2
    assert run(good, "--summary", "--format", "json=report.json").exit_code == 0


def test_the_line_of_a_finding_is_shown_without_what_is_secret(sound: Sound) -> None:
    line = "acme>=1.0 --hash=sha256:1"
    url = "--extra-index-url https://me:hunter2@host.example/simple"
    result = run(sound({"requirements.txt": f"{line}\n{url}\n"}), "--show-source")

    assert f"    1 | {line}" in result.stdout
    assert "hunter2" not in result.stdout


def test_colours_are_written_to_a_terminal_only(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = sound(BROKEN)

    assert "\x1b" not in run(model).stdout
    assert "\x1b[31;1merror\x1b[0m ENV120" in on_a_terminal(model)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31" not in on_a_terminal(model)


def on_a_terminal(model: Path) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm"}
    words = [sys.executable, "-m", "envkit", "validate", str(model)]
    subprocess.run(words, stdout=theirs, stderr=subprocess.DEVNULL, env=environ, check=False)
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 65536):
            written += chunk
    # how Linux says that the other end was closed
    except OSError:
        pass
    os.close(ours)
    return written.decode()


def test_annotations_begin_with_errors_and_leave_notes_out(sound: Sound) -> None:
    models = [sound(UNTOUCHED, name="a"), sound(BROKEN, name="b")]
    lines = run(*models, "--format", "github").stdout.splitlines()

    kinds = [line.split()[0] for line in lines]
    assert kinds == sorted(kinds, key=["::error", "::warning"].index)
    assert any("2 models" in line for line in lines if "ENV121" in line)
    noted = run(*models, "--format", "github", "--fail-on", "note").stdout
    assert "::notice" in noted
