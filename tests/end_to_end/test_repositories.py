"""A package from a repository is captured as a commit, and rebuilt from a wheel or built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from envkit.capturing.capture import capture
from envkit.capturing.outcome import Capture
from envkit.child import uv
from envkit.environments.reproduction import predict
from envkit.errors import BuildFailed
from envkit.formats import pylock_toml
from envkit.formats.pylock import Package
from envkit.locking.relock import relock
from envkit.models.capture_warnings import WarningKind
from tests.builders import package_index
from tests.builders.buildable_project import buildable_project
from tests.builders.models import write_model

pytestmark = pytest.mark.e2e

LOADER = """
import tool

class Model:
    def predict(self, data, params=None):
        return [tool.ANSWER]

def _load_pyfunc(path):
    return Model()
"""
ENV = {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
ME = ("-c", "user.name=me", "-c", "user.email=me@example.org")


@dataclass(frozen=True)
class Installed:
    """A model whose environment has `tool` from a repository.

    line: its line in requirements.txt.
    """

    model: Path
    python: Path
    repository: Path
    line: str

    def capture(self, *, build_vcs: bool = False) -> Capture:
        return capture(self.model, python=self.python, build_vcs=build_vcs)

    def predict(self, manager: str, *, allow_source: bool = False) -> object:
        return predict(
            self.model,
            env_manager=manager,
            input_path=self.model / "input_example.json",
            allow_source=allow_source,
        )

    @property
    def locked(self) -> Package:
        (package,) = pylock_toml.read(self.model / "pylock.toml").packages
        return package

    @property
    def locked_archive_path(self) -> str | None:
        archive = self.locked.archive
        return archive.path if archive is not None else None


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository on the loopback interface and on the disk, the project in a folder of it."""
    folder = tmp_path / "srv" / "a repository"
    buildable_project(folder / "python")
    commands: tuple[list[str], ...] = (
        ["init", "-q"],
        ["add", "."],
        [*ME, "commit", "-q", "-m", "first"],
        ["update-server-info"],
    )
    for arguments in commands:
        subprocess.run(["git", "-C", str(folder), *arguments], check=True)
    return folder


@pytest.fixture(params=["file", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def installed(
    tmp_path: Path, repository: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installed]:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("UV_DEFAULT_INDEX", (tmp_path / "empty").as_uri())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    model = tmp_path / "model"
    write_model(model, LOADER, example={"inputs": [1]}, env=ENV)
    environment = tmp_path / "environment"
    commit = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "HEAD"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    with package_index.serve_folder(repository.parent) as host:
        where = repository.as_uri() if scheme == "file" else f"http://{host}/a%20repository/.git"
        url = f"git+{where}@{commit}#subdirectory=python"
        subprocess.run([uv.program(), "venv", "-q", "--no-config", environment], check=True)
        install = [
            str(uv.program()),
            "pip",
            "install",
            "-q",
            "--no-config",
            "--python",
            str(environment),
        ]
        subprocess.run(
            [*install, f"tool @ {url}"],
            check=True,
            env={**os.environ, "UV_CACHE_DIR": str(tmp_path / "c")},
        )
        yield Installed(model, environment / "bin" / "python", repository, f"tool @ {url}")


@pytest.mark.parametrize("scheme", ["file"], indirect=True)
@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
def test_a_repository_of_this_machine_is_a_line_and_its_wheel_is_what_is_installed(
    installed: Installed, manager: str
) -> None:
    captured = installed.capture()
    shutil.rmtree(installed.repository)

    assert captured.requirements == (installed.line,)
    assert [each.kind for each in captured.warnings] == [WarningKind.LOCAL_ORIGIN]
    assert installed.line in (installed.model / "conda.yaml").read_text()
    assert installed.locked_archive_path == "wheels/tool-1.0-py3-none-any.whl"
    assert installed.predict(manager) == [42]


@pytest.mark.parametrize("scheme", ["http"], indirect=True)
@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
def test_a_repository_elsewhere_is_built_only_when_that_is_allowed(
    installed: Installed, manager: str
) -> None:
    captured = installed.capture()

    assert captured.requirements == (installed.line,)
    assert captured.warnings == ()
    assert installed.locked.vcs is not None
    assert installed.locked.vcs.subdirectory == "python"
    with pytest.raises(BuildFailed, match="comes from version control") as raised:
        installed.predict(manager)
    assert "--allow-source" in str(raised.value)
    assert installed.predict(manager, allow_source=True) == [42]


@pytest.mark.parametrize("scheme", ["http"], indirect=True)
def test_a_wheel_of_a_repository_elsewhere_comes_along_on_request(installed: Installed) -> None:
    captured = installed.capture(build_vcs=True)

    assert captured.requirements == (installed.line,)
    assert captured.warnings == ()
    shutil.rmtree(installed.repository)
    assert installed.predict("uv") == [42]
    evidence = json.loads((installed.model / "envkit.json").read_text())["distributions"][0]
    assert evidence["wheel"]["path"] == installed.locked_archive_path
    assert evidence["origin"]["vcs"] == "git"


@pytest.mark.parametrize("scheme", ["file"], indirect=True)
def test_a_lock_that_is_made_anew_keeps_the_wheel_of_a_commit_while_it_is_the_same(
    installed: Installed,
) -> None:
    installed.capture()
    before = (installed.model / "pylock.toml").read_text()

    relock(installed.model)
    assert (installed.model / "pylock.toml").read_text() == before
    (installed.model / "wheels" / "tool-1.0-py3-none-any.whl").write_bytes(b"other")
    assert [each.kind for each in relock(installed.model).warnings] == [WarningKind.LOCAL_ORIGIN]
    assert installed.locked.vcs is not None
