"""The GitHub Action and the pre-commit hook, run without GitHub; the pipelines of docs/ci.md."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import check_jsonschema  # type: ignore[import-untyped]
import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from tests.builders.sound_model import Sound

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
DOCS = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
UNPINNED = {"requirements.txt": "acme>=1.0\n"}


def problems(schema: str, text: str) -> list[str]:
    """What a schema of https://www.schemastore.org says about a YAML file."""
    schemas = Path(str(check_jsonschema.__file__)).parent / "builtin_schemas" / "vendor"
    content = json.loads((schemas / f"{schema}.json").read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(content)(content)
    parsed = json.loads(
        json.dumps(yaml.safe_load(text)).replace('{"true": ', '{"on": ')
    )  # `on` is true in YAML 1.1
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(parsed)]


def yaml_blocks() -> list[str]:
    return [
        re.sub(r"(?m)^ {6}- run", "- run", block)
        for block in re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    ]


def step(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(step for step in ACTION["runs"]["steps"] if step["name"] == name)
    return found


def run_action(tmp_path: Path, **inputs: str) -> tuple[int, dict[str, str], str, str]:
    """Run the step that validates as the runner would, and give its outputs."""
    given = {
        name: str(entry.get("default", "")) for name, entry in ACTION["inputs"].items()
    } | inputs
    validate = step("Validate")
    environment = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given[found[1]], value)
        for name, value in validate["env"].items()
    }
    files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    (tmp_path / "script.sh").write_text(validate["run"], encoding="utf-8")
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", tmp_path / "script.sh"],
        cwd=tmp_path,
        env={
            **os.environ,
            **environment,
            **{name: str(path) for name, path in files.items()},
            "GITHUB_WORKSPACE": str(tmp_path),
            "RUNNER_TEMP": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    return (
        done.returncode,
        outputs,
        done.stdout,
        files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8"),
    )


def test_the_action_and_the_workflow_that_shows_it_follow_githubs_schemas() -> None:
    assert problems("github-actions", (ROOT / "action.yml").read_text(encoding="utf-8")) == []
    assert problems("github-workflows", f"on: push\n{yaml_blocks()[0]}") == []
    assert problems("github-workflows", yaml_blocks()[0])  # a workflow that never starts


def test_the_pipeline_for_gitlab_follows_its_schema() -> None:
    assert (
        problems("gitlab-ci", next(block for block in yaml_blocks() if "reports:" in block)) == []
    )


def test_the_action_annotates_summarizes_and_sets_its_outputs(sound: Sound, tmp_path: Path) -> None:
    sound(name="good")
    sound(UNPINNED, name="it's $(touch bad)")
    status, outputs, output, summary = run_action(
        tmp_path,
        models="good\n\nit's $(touch bad)\n",
        sarif="out/a.sarif",
        junit="a.xml",
        arguments="--select=ENV12\n",
    )

    assert status == 1
    assert outputs == {"exit-code": "1", "sarif": "out/a.sarif"}
    assert (
        "::error file=it's $(touch bad)/requirements.txt,line=1,title=ENV120 unpinned::" in output
    )
    assert summary.startswith("## envkit validate: failed")
    assert json.loads((tmp_path / "out" / "a.sarif").read_text())["version"] == "2.1.0"
    assert (tmp_path / "a.xml").exists()
    assert not (tmp_path / "bad").exists()


def test_the_action_expands_globs_and_takes_what_fails(sound: Sound, tmp_path: Path) -> None:
    unlocked = {"requirements.txt": "acme==1.0\n", "pylock.toml": None}
    for name in ("many/one", "many/two", "odd [1]"):
        sound(unlocked, name=name)

    models = "many/*\nodd [1]\n$(touch bad) *\n"
    status, _, output, _ = run_action(
        tmp_path, models=models, arguments="--select=ENV121", **{"fail-on": "error"}
    )
    assert (status, output.count("::warning")) == (3, 1)
    assert "3 models" in output
    assert not (tmp_path / "bad").exists()
    (tmp_path / "GITHUB_OUTPUT").unlink()
    strict = run_action(
        tmp_path, models="many/*", arguments="--select=ENV121", profile="strict", resolve="false"
    )
    assert strict[0] == 1


def test_the_action_passes_a_sound_model_and_exits_with_3_without_a_model(
    sound: Sound, tmp_path: Path
) -> None:
    sound(name="good")

    assert run_action(tmp_path, models="good")[:2] == (0, {"exit-code": "0"})
    (tmp_path / "GITHUB_OUTPUT").unlink()
    assert run_action(tmp_path, models="nowhere")[:2] == (3, {"exit-code": "3"})


def test_every_input_and_output_of_the_action_is_documented() -> None:
    for name in (*ACTION["inputs"], *ACTION["outputs"]):
        assert f"`{name}`" in DOCS


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with nothing in it."""
    path = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", path], check=True)
    return path


def test_the_hook_is_valid_and_runs_for_the_models_of_changed_files(
    sound: Sound, repository: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    hook = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))[0]
    sound(UNPINNED).rename(repository / "model")
    (repository / "notes.txt").write_text("")
    # `language: system` in place of `python`: what is installed here takes the place of pre-
    # commit's own environment
    local = {**hook, "language": "system", "entry": f"{sys.executable} -m {hook['entry']}"}
    configuration = {"repos": [{"repo": "local", "hooks": [local]}]}
    (repository / ".pre-commit-config.yaml").write_text(
        yaml.safe_dump(configuration), encoding="utf-8"
    )
    subprocess.run(["git", "-C", repository, "add", "."], check=True)

    ran = subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert ran.stdout.count("error ENV120") == 1


@pytest.mark.slow
@pytest.mark.network
def test_pre_commit_installs_and_runs_the_hook_from_the_repository(
    sound: Sound, repository: Path
) -> None:
    sound(UNPINNED).rename(repository / "model")
    subprocess.run(["git", "-C", repository, "add", "."], check=True)

    ran = subprocess.run(
        [sys.executable, "-m", "pre_commit", "try-repo", ROOT, "envkit-validate", "--all-files"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "error ENV120" in ran.stdout, ran.stdout + ran.stderr


@pytest.mark.parametrize("words", re.findall(r"envkit validate ([^'`\n]*--[^'`\n]*)", DOCS))
def test_the_commands_of_the_page_are_understood(
    sound: Sound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    (tmp_path / "models").mkdir()
    sound(name="models/good")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "envkit-baseline.json").write_text('{"models": {}}')
    words = re.sub(
        r"\bMODEL\b|models/churn", "models/good", words.replace("FILE…", "models/good/MLmodel")
    )

    if re.search("--(resolve|rebuild|against)", words):  # what these do is tried by tests of theirs
        words += " --list-rules"

    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m envkit validate {words}"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
