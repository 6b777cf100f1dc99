"""`envkit lock`: the lock anew from what the files of a model say."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

import pytest

from envkit.child import process
from envkit.formats.pylock_toml import LockFile
from tests.builders import package_index
from tests.builders.command_line import run_envkit
from tests.builders.locks import packages_in
from tests.builders.requirement_models import requirement_model
from tests.builders.wheels import write_wheel


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_pins_are_looked_up_as_they_are_even_where_they_disagree(
    tmp_path: Path, index: Path, resolver: str
) -> None:
    package_index.add_wheel(index, "acme", "1.0", ["other>=2"])
    wheel = package_index.add_wheel(index, "other", "1.0")
    package_index.add_wheel(index, "other", "2.0")
    path = requirement_model(tmp_path, "acme==1.0\n", "other==1.0\n")

    result = run_envkit("lock", path, "--resolver", resolver)
    assert result.exit_code == 0, result.output
    packages = packages_in(path / "pylock.toml")
    assert {name: each["version"] for name, each in packages.items()} == {
        "acme": "1.0",
        "other": "1.0",
    }
    assert packages["other"]["wheels"][0]["hashes"] == {
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()
    }


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_a_model_without_pins_is_resolved(tmp_path: Path, index: Path, resolver: str) -> None:
    package_index.add_wheel(index, "acme", "1.0", ["other<2"])
    for version in ("1.0", "1.5", "2.0"):
        package_index.add_wheel(index, "other", version)
    path = requirement_model(tmp_path, "acme\n")

    result = run_envkit("lock", path, "--resolver", resolver)
    assert result.exit_code == 0, result.output
    assert {name: each["version"] for name, each in packages_in(path / "pylock.toml").items()} == {
        "acme": "1.0",
        "other": "1.5",
    }


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (["--platform", "windows"], {"acme", "of-windows"}),
        (["--platform", "x86_64-unknown-linux-gnu"], {"acme", "of-linux"}),
        (["--platform", "linux-x86_64"], {"acme", "of-linux"}),
        (["--platform", "win_amd64"], {"acme", "of-windows"}),
        (["--universal"], {"acme", "of-windows", "of-linux"}),
    ],
)
def test_another_platform_has_other_packages(
    tmp_path: Path, index: Path, target: list[str], expected: set[str]
) -> None:
    needs = ["of-windows; sys_platform == 'win32'", "of-linux; sys_platform == 'linux'"]
    package_index.add_wheel(index, "acme", "1.0", needs)
    for name in ("of-windows", "of-linux"):
        package_index.add_wheel(index, name, "1.0")
    path = requirement_model(tmp_path, "acme==1.0\n", "of-linux==1.0\n")

    result = run_envkit("lock", path, *target, "-o", tmp_path / "pylock.other.toml")
    assert result.exit_code == 0, result.output
    assert set(packages_in(tmp_path / "pylock.other.toml")) == expected
    assert not (path / "pylock.toml").exists()


def test_another_python_is_named_in_the_lock(tmp_path: Path, index: Path) -> None:
    package_index.add_wheel(index, "acme", "1.0", ["backport; python_version < '3.12'"])
    package_index.add_wheel(index, "backport", "1.0")
    path = requirement_model(tmp_path, "acme==1.0\n", "backport==1.0\n")

    assert (
        run_envkit(
            "lock", path, "--python-version", "3.13", "-o", tmp_path / "pylock.toml"
        ).exit_code
        == 0
    )
    assert str(LockFile(path=tmp_path / "pylock.toml").lock.requires_python) == "==3.13.*"
    assert set(packages_in(tmp_path / "pylock.toml")) == {"acme"}


def test_wheels_of_the_model_and_commits_keep_their_place(tmp_path: Path, index: Path) -> None:
    package_index.add_wheel(index, "other", "1.0")
    commit = "0" * 40
    path = requirement_model(
        tmp_path,
        f"./wheels/mine-1.0-py3-none-any.whl\ntool @ git+https://host/tool@{commit}\n",
        "other==1.0\n",
    )
    (path / "wheels").mkdir()
    write_wheel(path / "wheels", "mine", "1.0", ["other"])

    assert run_envkit("lock", path).exit_code == 0
    packages = packages_in(path / "pylock.toml")
    assert packages["mine"]["archive"]["path"] == "wheels/mine-1.0-py3-none-any.whl"
    assert packages["tool"]["vcs"] == {
        "type": "git",
        "url": "https://host/tool",
        "commit-id": commit,
    }
    assert "other" in packages


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_a_folder_of_wheels_in_the_model_is_found_from_wherever_the_lock_is_made(
    tmp_path: Path, resolver: str
) -> None:
    path = requirement_model(tmp_path, "--no-index\n--find-links wheels\nmine\n")
    (path / "wheels").mkdir()
    write_wheel(path / "wheels", "mine", "1.0")

    result = run_envkit("lock", path, "--resolver", resolver)

    assert result.exit_code == 0, result.output
    (wheel,) = packages_in(path / "pylock.toml")["mine"]["wheels"]
    assert wheel["path"] == "wheels/mine-1.0-py3-none-any.whl"


def test_what_a_wheel_of_the_model_requires_is_resolved_too(tmp_path: Path, index: Path) -> None:
    package_index.add_wheel(index, "other", "1.0")
    path = requirement_model(tmp_path, "./wheels/mine-1.0-py3-none-any.whl\n")
    (path / "wheels").mkdir()
    write_wheel(path / "wheels", "mine", "1.0", ["other"])

    result = run_envkit("lock", path)
    assert result.exit_code == 0, result.output
    assert set(packages_in(path / "pylock.toml")) == {"mine", "other"}


@pytest.mark.parametrize(
    ("requirements", "arguments", "status", "told"),
    [
        ("missing==1.0\n", [], 5, "missing"),
        ("tool @ git+https://host/tool@main\n", [], 3, "commit"),
        ("./wheels/mine-1.0-py3-none-any.whl\n", [], 3, "cannot be read"),
        ("acme\n", ["--platform", "windows", "--universal"], 2, "not both"),
        ("acme\n", ["--platform", "windows", "--resolver", "pip-tools"], 2, "uv"),
        ("acme\n", ["--platform", "atari"], 5, "atari"),
        (
            "tool @ git+https://host/tool@" + "0" * 40 + "\n",
            ["--generate-hashes"],
            5,
            "version control",
        ),
    ],
)
def test_what_cannot_be_locked_is_told_and_changes_nothing(
    tmp_path: Path, index: Path, requirements: str, arguments: list[str], status: int, told: str
) -> None:
    package_index.add_wheel(index, "acme", "1.0")
    path = requirement_model(tmp_path, requirements, "")
    (path / "pylock.toml").write_text("before")

    result = run_envkit("lock", path, *arguments)
    assert result.exit_code == status, result.output
    assert told in result.output
    assert (path / "pylock.toml").read_text() == "before"


@pytest.mark.e2e
def test_hashes_in_requirements_are_what_pip_installs_by(tmp_path: Path, index: Path) -> None:
    package_index.add_wheel(index, "acme", "1.0", ["other>=1"])
    package_index.add_wheel(index, "other", "1.0")
    path = requirement_model(tmp_path, "acme[extra]==1.0\n", "other==1.0\n")

    assert run_envkit("lock", path, "--generate-hashes").exit_code == 0
    assert (path / "constraints.txt").read_text() == "other==1.0\n"
    assert (path / "requirements.txt").read_text().startswith("acme[extra]==1.0 --hash=sha256:")
    assert _pip_installs(path, tmp_path / "good") == {"acme.py", "other.py"}

    shutil.rmtree(index / "simple" / "other")
    write_wheel(
        package_index.add_wheel(index, "other", "1.0").parent,
        "other",
        "1.0",
        content="VERSION = 'evil'\n",
    )
    assert _pip_installs(path, tmp_path / "bad") == set()


def _pip_installs(path: Path, target: Path) -> set[str]:
    process.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-cache-dir",
            "--target",
            target,
            "-r",
            path / "requirements.txt",
        ],
        environment=os.environ,
        keep_output=True,
    )
    return {each.name for each in target.glob("*.py")}


def test_files_of_other_hashes_than_the_model_states_are_not_locked(
    tmp_path: Path, index: Path
) -> None:
    package_index.add_wheel(index, "acme", "1.0")
    path = requirement_model(tmp_path, f"acme==1.0 --hash=sha256:{'0' * 64}\n")

    refused = run_envkit("lock", path)
    assert refused.exit_code == 5
    assert "acme==1.0" in refused.stderr
    assert "hash" in refused.stderr
    assert not (path / "pylock.toml").exists()


def test_where_there_are_several_indexes_it_says_whose_each_package_is(
    tmp_path: Path, index: Path
) -> None:
    package_index.add_wheel(index, "acme", "1.0")
    package_index.add_wheel(tmp_path / "other", "other", "1.0")
    with (
        package_index.serve_folder(tmp_path / "other") as there,
        package_index.serve_folder(index) as here,
    ):
        os.environ["UV_DEFAULT_INDEX"] = f"http://{here}/simple"  # put back by the fixture `index`
        path = requirement_model(
            tmp_path, f"--extra-index-url http://{there}/simple\nacme==1.0\nother==1.0\n", ""
        )
        told = run_envkit("lock", path).stderr

    assert f"From http://{here}/simple: acme." in told
    assert f"From http://{there}/simple: other." in told


def test_locking_twice_writes_the_same_bytes(tmp_path: Path, index: Path) -> None:
    package_index.add_wheel(index, "acme", "1.0")
    path = requirement_model(tmp_path, "acme==1.0\n", "")

    assert run_envkit("lock", path, "--generate-hashes").exit_code == 0
    before = {each.name: each.read_bytes() for each in path.iterdir()}
    assert run_envkit("lock", path, "--generate-hashes").exit_code == 0
    assert {each.name: each.read_bytes() for each in path.iterdir()} == before


def test_pins_that_are_younger_than_the_day_are_told_also_where_pip_has_an_index(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package_index.add_wheel(index, "acme", "1.0")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    result = run_envkit(
        "lock", requirement_model(tmp_path, "acme==1.0\n", ""), "--exclude-newer", "2020-01-01"
    )
    assert result.exit_code == 5, result.output
    assert "as of 2020-01-01" in result.output
    assert "acme==1.0" in result.output
