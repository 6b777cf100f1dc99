"""The stages on request: `--resolve`, `--rebuild`, `--minimal`, `--against`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import envkit
from envkit.cli.main import main
from envkit.errors import InvalidArgument, ToolNotFound
from envkit.validating.options import Tolerance
from envkit.validating.stages import audit, targets
from envkit.validating.stages.answers import compare
from tests.builders.files import write_files
from tests.builders.interpreters import RUNNING
from tests.builders.runnable_model import CODE, lock_of

Make = Callable[..., Path]
STAGES = "ENV3,ENV4,ENV5,ENV6"


def run(*words: object) -> Result:
    return CliRunner().invoke(
        main, ["validate", "--select", STAGES, *map(str, words)], catch_exceptions=False
    )


def found(result: Result, model: int = 0) -> set[str]:
    return {finding["rule"] for finding in json.loads(result.stdout)["models"][model]["findings"]}


@pytest.mark.parametrize(
    ("recorded", "given", "tolerance", "said"),
    [
        ([1.0, 2.0], [1.0, 2.0], {}, []),
        ([1, 2.5], [1.0, 2.5], {}, []),
        ([None, "a"], [None, "a"], {}, []),
        (
            [None],
            [1.0],
            {},
            ["the answer: 1 of 1 values differ: row 0: null was recorded, the answer is 1.0"],
        ),
        (
            ["a"],
            ["b"],
            {"relative": 9.0},
            ['the answer: 1 of 1 values differ: row 0: "a" was recorded, the answer is "b"'],
        ),
        (
            [True],
            [1],
            {"absolute": 9.0},
            ["the answer: 1 of 1 values differ: row 0: true was recorded, the answer is 1"],
        ),
        ([100.0], [101.0], {"relative": 0.01}, []),
        (
            [100.0],
            [101.0],
            {"absolute": 0.9},
            [
                "the answer: 1 of 1 values differ: row 0: 100.0 was recorded, the answer is 101.0 "
                "(difference 1, relative 0.01)"
            ],
        ),
        (
            [{"a": 1.0, "b": 1}, {"a": 2.0, "b": 1}],
            [{"a": 1.1, "b": 1}, {"a": 2.5, "b": 2}],
            {},
            [
                "column `a`: 2 of 2 values differ: row 1: 2.0 was recorded, the answer is 2.5 "
                "(difference 0.5, relative 0.25)",
                "column `b`: 1 of 2 values differ: row 1: 1 was recorded, the answer is 2 "
                "(difference 1, relative 1)",
            ],
        ),
        (
            [{"a": 1.0, "b": 1.0}],
            [{"a": 1.1, "b": 1.1}],
            {"of_columns": {"a": (0.2, 0.0)}},
            [
                "column `b`: 1 of 1 values differ: row 0: 1.0 was recorded, the answer is 1.1 "
                "(difference 0.1, relative 0.1)"
            ],
        ),
        (
            [[1.0, 2.0]],
            [[1.0, 3.0]],
            {},
            [
                "column `[1]`: 1 of 1 values differ: row 0: 2.0 was recorded, the answer is 3.0 "
                "(difference 1, relative 0.5)"
            ],
        ),
        ([1.0, 2.0], [1.0], {}, ["the answer: 2 values were recorded, the answer has 1"]),
        (
            [{"a": 1}],
            [{"b": 1}],
            {},
            [
                "column `a`: was recorded and is missing in row 0",
                "column `b`: was not recorded in row 0",
            ],
        ),
        (
            {"x": [1.0]},
            {"x": [2.0]},
            {},
            [
                "column `x`: 1 of 1 values differ: row 0: 1.0 was recorded, the answer is 2.0 "
                "(difference 1, relative 1)"
            ],
        ),
        (
            2**80,
            2**80 + 1,
            {},
            [
                f"the answer: 1 of 1 values differ: {2**80} was recorded, "
                f"the answer is {2**80 + 1} "
                "(difference 4.94e-324, relative 0)"
            ],
        ),
    ],
)
def test_answers_are_compared_by_column(
    recorded: Any, given: Any, tolerance: dict[str, Any], said: list[str]
) -> None:
    assert [
        difference.text for difference in compare(recorded, given, Tolerance(**tolerance))
    ] == said


@pytest.mark.parametrize(
    ("word", "label", "uv", "wheel"),
    [
        (
            "linux-x86_64:3.11",
            "linux-x86_64, Python 3.11",
            "x86_64-unknown-linux-gnu",
            "cp311-cp311-manylinux_2_17_x86_64",
        ),
        (
            "linux",
            "linux-x86_64, Python 3.12.1",
            "x86_64-unknown-linux-gnu",
            "cp312-abi3-manylinux2014_x86_64",
        ),
        (
            "windows:3.13",
            "windows-x86_64, Python 3.13",
            "x86_64-pc-windows-msvc",
            "cp313-cp313-win_amd64",
        ),
        (
            "win_amd64",
            "windows-x86_64, Python 3.12.1",
            "x86_64-pc-windows-msvc",
            "cp38-abi3-win_amd64",
        ),
        (
            "macos-arm64",
            "macos-aarch64, Python 3.12.1",
            "aarch64-apple-darwin",
            "cp312-cp312-macosx_11_0_arm64",
        ),
        (
            "osx-64",
            "macos-x86_64, Python 3.12.1",
            "x86_64-apple-darwin",
            "cp312-cp312-macosx_10_13_universal2",
        ),
        (
            "linux-aarch64",
            "linux-aarch64, Python 3.12.1",
            "aarch64-unknown-linux-gnu",
            "py3-none-manylinux_2_28_aarch64",
        ),
        (
            "x86_64-manylinux_2_17",
            "linux-x86_64 (glibc 2.17), Python 3.12.1",
            "x86_64-manylinux_2_17",
            "py3-none-any",
        ),
        (
            "musllinux_1_2_x86_64:3.9",
            "musl-x86_64, Python 3.9",
            "x86_64-unknown-linux-musl",
            "cp39-cp39-musllinux_1_1_x86_64",
        ),
        (
            "x86_64-pc-windows-msvc",
            "windows-x86_64, Python 3.12.1",
            "x86_64-pc-windows-msvc",
            "py3-none-win_amd64",
        ),
    ],
)
def test_a_target_is_a_platform_and_a_python_as_uv_conda_or_wheels_name_them(
    word: str, label: str, uv: str, wheel: str
) -> None:
    from envkit.validating.stages.resolve import fits

    place = targets.parse(word, "3.12.1")

    assert (place.label, place.uv_platform) == (label, uv)
    assert fits(f"a-1-{wheel}.whl", place)
    assert not fits("a-1-cp27-cp27mu-manylinux1_x86_64.whl", place)
    assert not fits("a-1.tar.gz", place)


@pytest.mark.parametrize(
    "word",
    [
        "amiga",
        "linux-68k",
        "linux:4",
        "linux-x86_64-3.11",
        ":2.7",
        ":",
        "linux:",
        "",
        "wasm32-pyodide2024",
    ],
)
def test_an_invalid_target_is_refused(word: str) -> None:
    with pytest.raises(InvalidArgument, match="target"):
        targets.parse(word, "3.11")


def test_the_target_without_a_platform_is_this_machine() -> None:
    assert targets.parse("3.12", "3.9").uv_platform == ""
    assert targets.parse("current", "3.9") == targets.this_machine("3.9")


@pytest.mark.parametrize(
    "words",
    [
        ["--select", "ENV4"],
        ["--target", "amiga"],
        ["--rtol", "x"],
        ["--atol", "-1"],
        ["--rebuild", "--rtol", "inf"],
        ["--minimal", "--env-manager", "local"],
        ["--rebuild", "--sandbox", "--timeout", "0"],
    ],
)
def test_wrong_usage_exits_with_2(running: Make, words: list[str]) -> None:
    result = CliRunner().invoke(main, ["validate", str(running()), *words], catch_exceptions=False)

    assert result.exit_code == 2


def test_comparing_with_a_missing_environment_exits_with_3(running: Make) -> None:
    assert run(running(), "--against", "nowhere").exit_code == 3


@pytest.mark.e2e
def test_a_model_passes_all_stages_and_the_report_says_what_was_done(running: Make) -> None:
    result = run(
        running(),
        "--resolve",
        "--rebuild",
        "--minimal",
        "--against",
        sys.executable,
        "--ignore",
        "ENV601",
    )

    assert result.exit_code == 0, result.stdout
    assert f"resolved for {targets.this_machine(RUNNING).label}" in result.stdout
    assert "the answer is the recorded one" in result.stdout
    assert "left out each of 1 requirements" in result.stdout


@pytest.mark.e2e
def test_a_difference_is_reported_by_column_and_allowed_within_a_tolerance(running: Make) -> None:
    changed = {"code/loader.py": CODE.replace("acme.FACTOR,", "acme.FACTOR * 1.000000001,")}
    model = running(changed)

    exact = run(model, "--rebuild")
    assert exact.exit_code == 1
    assert (
        "column `price`: 2 of 2 values differ: row 1: 5.0 was recorded, the answer is 5.000000005"
        in exact.stdout
    )
    assert run(model, "--rebuild", "--rtol", "1e-6").exit_code == 0
    assert run(model, "--rebuild", "--atol", "price=1e-6").exit_code == 0
    assert run(model, "--rebuild", "--atol", "other=1e-6").exit_code == 1


@pytest.mark.e2e
def test_an_infinity_does_not_equal_a_missing_value(running: Make) -> None:
    model = running(
        {"code/loader.py": CODE.replace("x * acme.FACTOR,", "float('-inf') if x > 1 else None,")}
    )
    content = json.loads((model / "envkit.json").read_text())

    for recorded, code in [(None, 1), ("Infinity", 1), ("-Infinity", 0)]:
        content["prediction"]["output"] = [
            {"price": None, "name": "1.0"},
            {"price": recorded, "name": "2.5"},
        ]
        write_files(model, {"envkit.json": json.dumps(content)})
        assert run(model, "--rebuild").exit_code == code


@pytest.mark.e2e
def test_a_model_that_gives_another_answer_each_time_is_reported_as_such(running: Make) -> None:
    chance = {
        "code/loader.py": f"import random\n{CODE}".replace("acme.FACTOR,", "random.random(),")
    }
    other = {"code/loader.py": CODE.replace("acme.FACTOR,", "7.0,")}

    assert "a second answer differs too" in run(running(chance), "--rebuild").stdout
    assert "a second answer" not in run(running(other, name="other"), "--rebuild").stdout


@pytest.mark.e2e
def test_variables_time_limit_and_sandbox_are_those_of_predict(running: Make) -> None:
    reads = {
        "code/loader.py": f"import os\n{CODE}".replace("acme.FACTOR,", "float(os.environ['RATE']),")
    }
    slow = {"code/loader.py": f"import time\ntime.sleep(60)\n{CODE}"}
    model = running(reads)

    assert found(run(model, "--rebuild", "--json")) == {"ENV402"}
    confined = run(model, "--rebuild", "--env", "RATE=2", "--sandbox")
    assert confined.exit_code == 0, confined.stdout
    late = run(running(slow, name="slow"), "--rebuild", "--timeout", "1")
    assert "it was still running after 1 s and was stopped" in late.stdout


@pytest.mark.e2e
def test_an_unneeded_requirement_is_reported_with_what_only_it_requires(running: Make) -> None:
    files = {"requirements.txt": "acme==1.0\nspare==1.0\n-c constraints.txt\n", "pylock.toml": None}
    model = running(files)

    report = envkit.validate(model, minimal=True, select=["ENV501"])
    assert [finding.problem for finding in report.findings] == [
        "without spare (and extra, which only it requires) the answer to the example is the same"
    ]
    assert report.findings[0].where == "requirements.txt:2"


@pytest.mark.e2e
def test_two_requirements_that_replace_each_other_are_not_left_out_together(running: Make) -> None:
    either = "try:\n    import spare\nexcept ImportError:\n    import extra\n"
    files = {
        "requirements.txt": "acme==1.0\nspare==1.0\nextra==1.0\n-c constraints.txt\n",
        "pylock.toml": None,
    }
    model = running(files | {"code/loader.py": either + CODE})

    report = envkit.validate(model, minimal=True, select=["ENV501"])
    assert len(report.findings) == 2
    assert all(
        "not without all reported requirements together" in finding.problem
        for finding in report.findings
    )


@pytest.mark.e2e
def test_several_models_are_taken_through_the_stages_in_processes_and_make_one_report(
    running: Make,
) -> None:
    good, bad = running(name="good"), running({"requirements.txt": "elsewhere==1.0\n"}, name="bad")

    result = run(good, bad, "nowhere", "-j", "2", "--resolve", "--target", "linux:3.12", "--json")
    assert result.exit_code == 3
    assert (found(result), found(result, 1)) == (set(), {"ENV301"})


@pytest.mark.e2e
def test_an_index_that_does_not_answer_fails_the_validation(
    running: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = running()
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")

    result = run(model, "--resolve", "--json")
    assert result.exit_code == 1
    assert found(result) == {"ENV308"}


@pytest.mark.e2e
def test_source_distributions_are_not_built_to_find_out(running: Make) -> None:
    model = running({"requirements.txt": "source-only==1.0\n", "pylock.toml": None})

    assert found(run(model, "--resolve", "--json")) == {"ENV301"}


@pytest.mark.e2e
def test_a_package_that_no_index_has_is_not_reported_as_one_without_wheels(running: Make) -> None:
    files = {
        "requirements.txt": "nowhere-at-all==1.0\nacme==7.0\nelsewhere==1.0\n",
        "pylock.toml": None,
    }

    report = envkit.validate(
        running(files), resolve=True, target=["linux-x86_64:3.12"], select=["ENV301"]
    )
    assert {finding.problem for finding in report.findings} == {
        "there is no package `nowhere-at-all` on the indexes",
        "there is no `acme==7.0` on the indexes",
        "there is no wheel of `elsewhere==1.0` for linux-x86_64, Python 3.12",
    }


@pytest.mark.e2e
def test_a_wrong_hash_is_reported_by_resolving_and_stops_the_build(
    running: Make, index: Path
) -> None:
    model = running()
    text = lock_of(index, "acme==1.0", "other==2.0")
    digest = text.partition('sha256 = "')[2][:64]
    write_files(model, {"pylock.toml": text.replace(digest, "0" * 64)})

    assert found(run(model, "--resolve", "--rebuild", "--json")) == {"ENV304", "ENV401"}


def test_an_audit_without_pip_audit_exits_with_7(
    running: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "find_spec", lambda name: None)

    result = run(running(), "--audit")
    assert result.exit_code == 7
    assert "envkit[audit]" in result.stderr
    with pytest.raises(ToolNotFound):
        envkit.validate(running(name="other"), audit=True)


@pytest.mark.e2e
def test_drift_to_another_major_version_or_an_older_version_is_an_error(
    running: Make,
) -> None:
    there = {"there.txt": "acme==0.9\nother==2.0.1\n"}
    model = running(there)

    report = envkit.validate(model, against=model / "there.txt", select=["ENV6"])
    assert [(finding.rule, str(finding.severity)) for finding in report.findings] == [
        ("ENV602", "warning"),
        ("ENV602", "error"),
    ]


def test_tolerances_and_targets_may_stand_in_the_settings(running: Make, tmp_path: Path) -> None:
    settings = tmp_path / "envkit.toml"
    settings.write_text('target = ["amiga"]\n')

    assert run(running(), "--resolve", "--config", settings).exit_code == 2
    settings.write_text("rtol = -1\n")
    assert run(running(name="b"), "--resolve", "--config", settings).exit_code == 3
