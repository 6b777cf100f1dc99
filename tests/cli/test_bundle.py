"""`envkit bundle`: the model brings its whole closure."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from envkit.child import process
from tests.builders import package_index
from tests.builders.command_line import run_envkit
from tests.builders.locks import lock_text, packages_in
from tests.builders.models import write_model
from tests.builders.requirement_models import requirement_model
from tests.builders.wheels import write_wheel

LOADER = """
class Model:
    def predict(self, data, params=None):
        import acme, other
        return [acme.VERSION, other.VERSION]

def _load_pyfunc(path):
    return Model()
"""


@pytest.mark.e2e
@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
def test_the_environment_is_rebuilt_without_any_network(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch, manager: str
) -> None:
    package_index.add_wheel(index, "acme", "1.0+cpu", ["other"])
    package_index.add_wheel(index, "other", "1.0")
    path = _with_code(requirement_model(tmp_path, "acme==1.0+cpu\n", "other==1.0\n"))
    assert run_envkit("bundle", path).exit_code == 0
    shutil.rmtree(index)
    moved = path.rename(tmp_path / "moved")
    for name, value in {
        "UV_OFFLINE": "1",
        "PIP_NO_INDEX": "1",
        "ENVKIT_HOME": str(tmp_path / "fresh"),
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "input.json").write_text('{"inputs": [1]}')

    ended = process.run(
        [
            sys.executable,
            "-m",
            "envkit",
            "predict",
            moved,
            "-i",
            tmp_path / "input.json",
            "--env-manager",
            manager,
            "-q",
        ],
        environment=os.environ,
        keep_output=True,
    )
    assert json.loads(ended.output) == {"predictions": ["1.0+cpu", "1.0"]}


def _with_code(path: Path) -> Path:
    env = {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
    return write_model(path, {"m.py": LOADER}, loader_module="m", env=env)


def test_the_wheels_of_an_index_behind_a_password_are_fetched(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package_index.add_wheel(index, "acme", "1.0")
    path = requirement_model(tmp_path, "acme==1.0\n", "")
    with package_index.serve_folder(index, login="joe:s3cret") as host:
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://joe:s3cret@{host}/simple")
        result = run_envkit("bundle", path)

    assert result.exit_code == 0, result.output
    assert [each.name for each in (path / "wheels").iterdir()] == ["acme-1.0-py3-none-any.whl"]
    assert not [
        each for each in path.rglob("*") if each.is_file() and b"s3cret" in each.read_bytes()
    ]


def test_bundling_twice_changes_nothing_and_keeps_what_lay_there(
    tmp_path: Path, index: Path
) -> None:
    package_index.add_wheel(index, "acme", "1.0")
    path = requirement_model(tmp_path, "acme==1.0\n./wheels/mine-1.0-py3-none-any.whl\n", "")
    (path / "wheels").mkdir()
    write_wheel(path / "wheels", "mine", "1.0")

    assert run_envkit("bundle", path).exit_code == 0
    before = {each: each.read_bytes() for each in path.rglob("*") if each.is_file()}
    assert set(packages_in(path / "pylock.toml")) == {"acme", "mine"}
    assert run_envkit("bundle", path).exit_code == 0
    assert {each: each.read_bytes() for each in path.rglob("*") if each.is_file()} == before


def test_a_wheel_for_another_platform_alone_is_refused_and_nothing_is_changed(
    tmp_path: Path, index: Path
) -> None:
    path = requirement_model(tmp_path, "acme==1.0\n", "")
    wheel = {
        "url": "https://files.example/acme-1.0-cp39-cp39-win32.whl",
        "hashes": {"sha256": "0" * 64},
    }
    text = lock_text(packages=[{"name": "acme", "version": "1.0", "wheels": [wheel]}])
    (path / "pylock.toml").write_text(text)

    result = run_envkit("bundle", path)
    assert result.exit_code == 5
    assert "no wheel for this platform" in result.output
    assert (path / "pylock.toml").read_text() == text


def test_a_file_of_another_content_is_refused_and_nothing_is_changed(
    tmp_path: Path, index: Path
) -> None:
    wheel = package_index.add_wheel(index, "acme", "1.0")
    path = requirement_model(tmp_path, "acme==1.0\n", "")
    assert run_envkit("lock", path).exit_code == 0
    before = (path / "pylock.toml").read_text()
    write_wheel(wheel.parent, "acme", "1.0", content="VERSION = 'evil'\n")

    assert run_envkit("bundle", path).exit_code == 5
    assert not (path / "wheels").exists()
    assert (path / "pylock.toml").read_text() == before
