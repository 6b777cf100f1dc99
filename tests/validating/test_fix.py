"""`envkit fix`: what it fixes, that it shows it first, and writes all files or none."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import envkit
from envkit.cli.main import main
from envkit.errors import InvalidFile, ModelNotFound
from envkit.validating.examination import examine
from envkit.validating.finding import Finding, Severity
from envkit.validating.options import StageOptions
from envkit.validating.rules import all_rules
from tests.builders.files import write_files
from tests.builders.interpreters import RUNNING
from tests.builders.rule_pages import QUICK, RULES, lay_over, page
from tests.builders.sound_model import FILES, Sound, evidence, findings_of, seen

CONDA = FILES["conda.yaml"]
VALUES = "# a comment\nTOKEN=hunter2\nB\nA\nB\n"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["fix", *map(str, words)], catch_exceptions=False)


def state(model: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(model)): path.read_bytes()
        for path in model.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("files", "code", "file", "text"),
    [
        ({"conda.yaml": None}, "ENV101", "conda.yaml", "- python=3.12.7"),
        ({"python_env.yaml": None}, "ENV101", "python_env.yaml", "- -r requirements.txt\n"),
        (
            {
                "requirements.txt": None,
                "constraints.txt": None,
                "python_env.yaml": None,
                "envkit.json": None,
                "conda.yaml": CONDA.replace("  - -c constraints.txt\n", ""),
            },
            "ENV101",
            "requirements.txt",
            "acme==1.0\n",
        ),
        ({"python_env.yaml": "python: 3.10\n"}, "ENV102", "python_env.yaml", "python: 3.12.7\n"),
        (
            {"MLmodel": FILES["MLmodel"].replace("3.12.7", "3.10  # x")},
            "ENV102",
            "MLmodel",
            ": 3.12.7  # x",
        ),
        (
            {"conda.yaml": CONDA.replace("acme==1.0", "acme==0.9")},
            "ENV103",
            "conda.yaml",
            "  - acme==1.0\n",
        ),
        (
            {"python_env.yaml": "python: 3.12.7\ndependencies:\n- other==2.0\n"},
            "ENV103",
            "python_env.yaml",
            "- -r ",
        ),
        ({"python_env.yaml": "python: 3.12.6\n"}, "ENV104", "python_env.yaml", "python: 3.12.7\n"),
        (
            {"conda.yaml": CONDA.replace("3.12.7", "3.11.2")},
            "ENV104",
            "conda.yaml",
            "- python=3.12.7\n",
        ),
        (
            {"requirements.txt": "-c constraints.txt\n"},
            "ENV106",
            "requirements.txt",
            "acme==1.0\n-c constraints.txt\n",
        ),
        (
            {"requirements.txt": "acme = 1.0\n-c constraints.txt\n"},
            "ENV113",
            "requirements.txt",
            "acme==1.0\n",
        ),
        (
            {"environment_variables.txt": VALUES},
            "ENV114",
            "environment_variables.txt",
            "required\nA\nB\nTOKEN\n",
        ),
        (
            {"environment_variables.txt": "B\nA\nB\n"},
            "ENV116",
            "environment_variables.txt",
            "required\nA\nB\n",
        ),
        (
            {
                "requirements.txt": "zeta==1\nacme==1.0\nacme==1.0\n",
                "envkit.json": None,
                "pylock.toml": None,
            },
            "ENV116",
            "requirements.txt",
            "acme==1.0\nzeta==1\n",
        ),
        (
            {"requirements.txt": "acme>=0.9\n-c constraints.txt\n"},
            "ENV120",
            "requirements.txt",
            "acme==1.0\n",
        ),
        (
            {
                "requirements.txt": "acme[x] >= 0.9 ; os_name == 'posix'  # why\n"
                "-c constraints.txt\n"
            },
            "ENV120",
            "requirements.txt",
            'acme[x]==1.0 ; os_name == "posix"  # why\n',
        ),
        (
            {"requirements.txt": "--extra-index-url https://me:word@host/simple\nacme==1.0\n"},
            "ENV122",
            "requirements.txt",
            "https://${INDEX_HOST_USERNAME}:${INDEX_HOST_PASSWORD}@host/simple",
        ),
        (
            {"requirements.txt": "acme==1.0\nacme[x]==1.0\n-c constraints.txt\n"},
            "ENV130",
            "requirements.txt",
            "acme[x]==1.0\n-c constraints.txt\n",
        ),
        (
            {"conda.yaml": CONDA.replace("- python=3.12.7\n", "")},
            "ENV140",
            "conda.yaml",
            "- python=3.12.7\n- pip\n",
        ),
        ({"python_env.yaml": "python: '3.12'\n"}, "ENV140", "python_env.yaml", "3.12.7"),
        (
            {"conda.yaml": CONDA.replace("python=3.12.7", "python>=3.12")},
            "ENV140",
            "conda.yaml",
            "- python=3.12.7\n",
        ),
    ],
)
def test_a_fix_repairs_what_its_rule_reports(
    sound: Sound, files: dict[str, str | None], code: str, file: str, text: str
) -> None:
    model = sound(files)
    assert findings_of(model, code)
    before = state(model)

    shown = run(model, "--diff")
    assert (shown.exit_code, state(model)) == (1, before)
    assert f"+++ b/{file}" in shown.stdout
    assert "hunter2" not in shown.stderr
    assert run(model, "--yes").exit_code == 0
    assert text in (model / file).read_text()
    assert findings_of(model, code) == []
    assert run(model, "--check").exit_code == 0


@pytest.mark.parametrize("code", [code for code in QUICK if RULES[code].fix is not None])
def test_a_second_fix_of_a_rules_bad_example_changes_nothing(sound: Sound, code: str) -> None:
    model = sound()
    lay_over(model, page(RULES[code]), "Bad")

    envkit.fix(model, write=True)
    assert not envkit.fix(model)


def test_missing_requirements_are_added_in_the_version_that_the_evidence_records(
    sound: Sound,
) -> None:
    model = sound(
        {"code/loader.py": "import acme, six\n\n\ndef _load_pyfunc(path):\n    return acme\n"}
    )
    recorded = json.dumps(evidence(model, optional=[seen("six", "1.16.0", "optional")]))
    (model / "envkit.json").write_text(recorded)
    assert [finding.problem for finding in findings_of(model, "ENV201")]

    envkit.fix(model, write=True, select=["ENV201"])
    assert (
        model / "requirements.txt"
    ).read_text() == "acme==1.0\nsix==1.16.0\n-c constraints.txt\n"


def test_a_sound_model_has_nothing_to_fix(sound: Sound) -> None:
    result = run(sound())

    assert (result.exit_code, result.stdout) == (0, "")


def test_an_mlmodel_that_no_rule_can_fix_exits_with_3(sound: Sound) -> None:
    broken = sound({"MLmodel": "flavors: ["})
    before = state(broken)

    with pytest.raises(InvalidFile, match="MLmodel"):
        envkit.fix(broken)
    assert run(broken, "--check").exit_code == 3
    assert state(broken) == before


def test_without_a_terminal_nothing_is_written_without_yes(sound: Sound) -> None:
    model = sound({"requirements.txt": "acme>=0.9\n-c constraints.txt\n"})
    before = state(model)

    result = run(model)
    assert result.exit_code == 1
    assert "-acme>=0.9\n+acme==1.0\n" in result.stdout
    assert state(model) == before


def test_only_selected_rules_are_fixed(sound: Sound) -> None:
    model = sound(
        {
            "requirements.txt": "acme>=0.9\n-c constraints.txt\n",
            "python_env.yaml": "python: 3.12.6\n",
        }
    )

    assert envkit.fix(model, select=["ENV120"]).files.keys() == {"requirements.txt"}
    assert "ENV120" not in envkit.fix(model, ignore=["unpinned"]).rules
    assert json.loads(run(model, "--json").stdout)[0]["written"] is False


def test_a_model_that_cannot_be_written_stays_as_it_was(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = sound(
        {
            "requirements.txt": "acme>=0.9\n-c constraints.txt\n",
            "python_env.yaml": "python: 3.12.6\n",
        }
    )
    before = state(model)
    targets: list[Path] = []
    rename = Path.replace

    def full_at_the_second_file(source: Path, target: Path) -> Path:
        targets.append(target)
        if len(targets) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rename(source, target)
        return target

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full_at_the_second_file)
        result = run(model, "--yes")

    assert result.exit_code == 3
    assert "No space left on device" in result.stderr
    # the first file was written and taken back
    assert len(targets) > 2
    assert state(model) == before


@pytest.mark.parametrize("name", ["constraints.txt", "conda.yaml", "environment_variables.txt"])
def test_a_folder_in_place_of_a_file_is_not_fixed(sound: Sound, name: str) -> None:
    model = sound({"requirements.txt": "acme>=0.9\n", name: None})
    (model / name).mkdir()

    fix = envkit.fix(model, write=True)

    assert (model / name).is_dir()
    assert name not in fix.files


def test_a_file_behind_a_link_is_not_fixed(sound: Sound) -> None:
    model = sound({"MLmodel": FILES["MLmodel"].replace("conda.yaml", "link/conda.yaml")})
    (model / "real").mkdir()
    (model / "link").symlink_to("real")
    conda = CONDA.replace("acme==1.0", "acme==0.9").replace("  - -c constraints.txt\n", "")
    write_files(model, {"real/conda.yaml": conda})
    assert findings_of(model, "ENV103")

    assert envkit.fix(model, select=["ENV103"]).files == {}


@pytest.mark.parametrize(
    "words", [["--yes", "--diff"], ["--check", "--yes"], ["--select", "ENV999"]]
)
def test_wrong_usage_exits_with_2(sound: Sound, words: list[str]) -> None:
    assert run(sound(), *words).exit_code == 2
    assert run().exit_code == 2


def test_a_missing_model_exits_with_3() -> None:
    assert run("nowhere").exit_code == 3
    with pytest.raises(ModelNotFound):
        envkit.fix("nowhere")


def test_fixes_never_fail_on_files_that_cannot_be_read(sound: Sound) -> None:
    broken = {
        "conda.yaml": "a: &b [1]\n",
        "MLmodel": "",
        "pylock.toml": "x",
        "envkit.json": "{}",
        "python_env.yaml": "-",
    }
    model = sound(broken | {"requirements.txt": b"# caf\xe9\n"})

    examination = examine(model, StageOptions())

    for rule in all_rules():
        if rule.fix is not None:
            list(rule.fix(*examination.evidence(rule.stage)))
    assert run(model, "--yes").exit_code == 3


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda model: (model / "requirements.txt").write_bytes(
            b"# caf\xe9\nacme==1.0\n-c constraints.txt\n"
        ),
        lambda model: (
            (model / "requirements.txt").rename(model.parent / "r.txt")
            and (model / "requirements.txt").symlink_to(model.parent / "r.txt")
        ),
        lambda model: piped(model / "requirements.txt"),
        lambda model: (model / "requirements.txt").write_bytes(b"acme==1.0\n" * 2_000_000),
    ],
)
def test_an_unreadable_file_does_not_empty_the_others(
    sound: Sound, break_it: Callable[[Path], Any]
) -> None:
    model = sound()
    break_it(model)

    assert envkit.fix(model).files == {}


def test_missing_requirements_are_written_from_the_file_that_has_them(sound: Sound) -> None:
    model = sound({"requirements.txt": None})

    found = envkit.fix(model, write=True)

    assert found.files == {"requirements.txt": "acme==1.0\n-c constraints.txt\n"}
    assert not envkit.fix(model)


def test_missing_constraints_are_written_as_the_capture_recorded_them(sound: Sound) -> None:
    assert envkit.fix(sound({"constraints.txt": None})).files == {"constraints.txt": "other==2.0\n"}


HASHED = "acme==1.0 --hash=sha256:{}\nother==2.0\n"


@pytest.mark.parametrize("requirements", ["acme==1.0\n", "acme\nother\n", HASHED])
def test_the_remedy_of_unhashed_leads_to_a_clean_model(
    running: Callable[..., Path], index: Path, requirements: str
) -> None:
    wheel = next((index / "simple" / "acme").glob("acme-1.0-*.whl"))
    text = requirements.format(hashlib.sha256(wheel.read_bytes()).hexdigest())
    bare = dict.fromkeys(("pylock.toml", "envkit.json", "constraints.txt"))
    conda = CONDA.replace("3.12.7", RUNNING).replace("  - -c constraints.txt\n", "")
    model = running({**bare, "requirements.txt": text, "conda.yaml": conda})
    run(model, "--yes")
    before = {finding.rule for finding in findings(model)}
    remedy = next(finding.remedy for finding in findings(model) if finding.rule == "ENV121")
    command = re.search("`envkit fix (.*) MODEL`", remedy)
    assert command is not None

    result = run(*command[1].split(), model)
    assert result.exit_code == 0, result.output
    after = [finding for finding in findings(model) if finding.severity is not Severity.NOTE]
    assert [finding for finding in after if finding.rule not in before - {"ENV121"}] == []
    assert all(finding.severity is not Severity.ERROR for finding in after)
    files = state(model)
    assert run("--lock", "--check", model).exit_code == 0
    assert state(model) == files


def findings(model: Path) -> list[Finding]:
    return list(envkit.validate(model, profile="strict").findings)


def test_a_lock_is_added_to_each_model_and_one_that_fails_does_not_stop_the_others(
    running: Callable[..., Path],
) -> None:
    bad = {"pylock.toml": None, "requirements.txt": "nowhere==1.0\n"}
    models = [
        running({"pylock.toml": None}, name="first"),
        running(bad, name="second"),
        running({"pylock.toml": None}, name="third"),
    ]

    shown = run("--lock", "--diff", models[0])
    assert shown.exit_code == 1
    assert "+++ b/pylock.toml" in shown.stdout
    assert not (models[0] / "pylock.toml").exists()
    result = run("--lock", "--yes", "--select", "ENV121", *models)
    assert result.exit_code == 5
    assert "nowhere" in result.stderr
    locked = [(model / "pylock.toml").exists() for model in models]
    assert locked == [True, False, True]


def test_the_remedy_of_a_lock_with_local_files_leads_to_a_model_without_them(
    running: Callable[..., Path], index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = running({"pylock.toml": None})
    monkeypatch.setenv("UV_DEFAULT_INDEX", (index / "simple").as_uri())
    run("--lock", "--yes", model)
    remedies = {finding.remedy for finding in findings(model) if finding.rule == "ENV123"}
    assert remedies == {"put the locked wheels into the model: `envkit bundle MODEL`"}

    result = CliRunner().invoke(main, ["bundle", str(model)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert not [finding for finding in findings(model) if finding.severity is Severity.ERROR]


def test_the_diff_of_a_file_of_powershell_is_readable(sound: Sound) -> None:
    model = sound()
    text = "acme>=0.9\r\n-c constraints.txt\r\n"
    (model / "requirements.txt").write_bytes(text.encode("utf-16"))

    diff = envkit.fix(model).diff
    assert "-acme>=0.9" in diff
    assert "\udcff" not in diff


@pytest.mark.parametrize("words", [["--diff"], ["--yes"]])
def test_the_diff_shows_what_a_terminal_would_obey_or_hide(sound: Sound, words: list[str]) -> None:
    hostile = "\x1b[8m\u202e\u2066\u200b"
    model = sound({"requirements.txt": f"# {hostile}\nacme\n"})

    result = run(model, *words)

    assert "\\x1b[8m\\u202e\\u2066\\u200b" in result.stdout
    assert not {"\x1b", "\u202e", "\u2066", "\u200b"} & set(result.output)
