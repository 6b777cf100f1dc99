"""`envkit diff` and `envkit.diff`: models, captures, locks, requirements and environments."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import envkit
from envkit.cli.main import main
from envkit.errors import InvalidInput
from tests.builders.files import write_files
from tests.builders.locks import lock_text
from tests.builders.sound_model import Sound, package, seen

COMMIT = "0" * 40


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["diff", *map(str, words)], catch_exceptions=False)


def test_equal_models_do_not_differ(sound: Sound) -> None:
    result = run(sound(name="a"), sound(name="b"))

    assert (result.exit_code, result.stdout) == (0, "")
    assert "There are no differences" in result.stderr


def test_added_removed_and_changed_packages_are_shown(sound: Sound) -> None:
    new = {
        "requirements.txt": "acme==1.1\nthird==3.0\n",
        "python_env.yaml": "python: 3.13.1\ndependencies:\n- -r requirements.txt\n",
        "pylock.toml": None,
        "envkit.json": None,
    }
    result = run(sound(name="a"), sound(new, name="b"))

    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "~ python 3.12.7 → 3.13.1",
        "- other 2.0",
        "+ third 3.0",
        "~ acme 1.0 → 1.1",
    ]


def test_a_line_that_is_no_longer_pinned_is_a_difference_although_the_lock_is_the_same(
    sound: Sound,
) -> None:
    loose = sound({"requirements.txt": "acme>=1\n"}, name="b")

    assert run(sound(name="a"), loose).stdout.splitlines() == [
        "~ acme requirement acme==1.0 → acme>=1"
    ]


def test_another_origin_is_shown_without_credentials(sound: Sound) -> None:
    origin = {"url": "https://me:word@host/acme", "vcs": "git", "commit": COMMIT, "editable": False}
    other = sound(
        name="b",
        distributions=[
            seen("acme", "1.0", "requirement", origin=origin),
            seen("other", "2.0", "constraint"),
        ],
    )

    result = run(sound(name="a") / "envkit.json", other / "envkit.json", "--json")
    assert json.loads(result.stdout)["changed"] == [
        {
            "name": "acme",
            "what": "origin",
            "before": "index",
            "after": f"git+https://host/acme@{COMMIT}",
        }
    ]


def test_other_hashes_of_the_same_version_are_a_difference(tmp_path: Path) -> None:
    one, two = tmp_path / "pylock.toml", tmp_path / "pylock.two.toml"
    one.write_text(lock_text(packages=[package("acme", "1.0")]))
    two.write_text(one.read_text().replace("a" * 64, "b" * 64))

    found = envkit.diff(one, two)
    assert [(change.what, change.name) for change in found.changed] == [("hash", "acme")]
    assert found


def test_an_environment_is_compared_with_what_a_model_needs(sound: Sound) -> None:
    prefix = Path(sys.executable).parents[1]
    found = envkit.diff(sound(), prefix)

    assert {package.name for package in found.removed} == {"acme", "other"}
    assert "click" in {package.name for package in found.added}
    assert "python" in {change.what for change in found.interpreter}
    assert not envkit.diff(prefix, sys.executable)
    assert not envkit.diff("current", prefix)


def test_requirements_files_and_conda_files_are_read(sound: Sound) -> None:
    model = sound()
    write_files(
        model,
        {"conda.yaml": "dependencies:\n- python=3.12.7\n- openblas=0.3.1\n- pip:\n  - acme==1.0\n"},
    )
    result = run(model / "requirements.txt", model / "conda.yaml")

    assert result.stdout.splitlines() == ["- other 2.0", "+ openblas (conda) 0.3.1 from conda"]


@pytest.mark.parametrize("what", ["nowhere", "folder", "folder/file.bin"])
def test_comparing_something_else_is_refused(tmp_path: Path, what: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file.bin").write_text("")

    assert run(tmp_path / what, "current").exit_code == 3
    with pytest.raises(InvalidInput):
        envkit.diff("current", tmp_path / what)


def test_a_model_with_malformed_files_is_refused_with_file_and_field(sound: Sound) -> None:
    result = run(sound({"python_env.yaml": "python: 3.10\n"}), "current")

    assert result.exit_code == 3
    assert "python_env.yaml, python: expected text" in result.stderr
