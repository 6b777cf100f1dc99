"""Conda environments through conda, mamba and micromamba: fakes, as no index has them.

The fake writes down how it was called and puts a virtual environment with a record of conda's into
the prefix.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envkit.environments.conda import external, machine
from envkit.environments.env_type import EnvType
from envkit.errors import BuildFailed, ToolNotFound
from envkit.formats import conda_yaml
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.environments import prepare
from tests.builders.interpreters import RUNNING

FAKE = """#!{python}
import json, os, subprocess, sys
arguments = sys.argv[1:]
prefix = arguments[arguments.index("-p") + 1]
file = arguments[arguments.index("-f" if "-f" in arguments else "--file") + 1]
told = {{"argv": arguments, "file": open(file).read(), "variables": dict(os.environ)}}
told["there"] = os.path.exists(prefix)
json.dump(told, open({told!r}, "w"))
print("said by the program")
if {fails!r}:
    sys.exit(1)
subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--copies", prefix], check=True)
os.mkdir(prefix + "/conda-meta")
record = {{"name": "python", "version": "3.11.7", "files": [], "url": {url!r}}}
record["paths_data"] = {{"paths": []}}
json.dump(record, open(prefix + "/conda-meta/python.json", "w"))
"""


class Fake:
    """A program on the PATH that does as conda does."""

    def __init__(self, folder: Path, name: str, *, fails: bool = False, url: str = "") -> None:
        folder.mkdir(exist_ok=True)
        self.path = folder / name
        self._told = folder / f"{name}.json"
        self.path.write_text(
            FAKE.format(python=sys.executable, told=str(self._told), fails=fails, url=url)
        )
        self.path.chmod(0o755)

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._told.read_text())
        return found


@pytest.fixture
def asked(spec: EnvironmentSpec) -> EnvironmentSpec:
    return replace(
        spec,
        conda_channels=("conda-forge",),
        conda_specs=(f"python={RUNNING}", "pip<=26.2", "libenvkit-demo"),
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is first on the PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}{os.pathsep}{os.environ['PATH']}")
    for name in ("ENVKIT_CONDA_EXE", "MLFLOW_CONDA_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "programs"


COMMANDS = {
    "conda": ["env", "create", "-p", "PREFIX", "-f", "FILE", "--json"],
    "mamba": ["env", "create", "-p", "PREFIX", "-f", "FILE", "--json"],
    "micromamba": ["create", "-p", "PREFIX", "-f", "FILE", "-y", "--json"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_program_on_the_path_gets_a_file_and_the_prefix(
    name: str,
    folder: Path,
    asked: EnvironmentSpec,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    fake = Fake(folder, name)
    monkeypatch.setenv("CONDA_PREFIX", "/elsewhere")
    monkeypatch.setenv("CONDA_OVERRIDE_CUDA", "12.4")
    environment = prepare(asked, EnvType.CONDA, root=root)
    told = fake.told
    (tmp_path / "conda.yaml").write_text(told["file"])
    read = conda_yaml.read(tmp_path / "conda.yaml")

    places = {str(environment.path): "PREFIX", told["argv"][told["argv"].index("-f") + 1]: "FILE"}
    assert [places.get(each, each) for each in told["argv"]] == COMMANDS[name]
    assert (read.channels, read.dependencies, read.pip) == (
        ("conda-forge",),
        asked.conda_specs,
        None,
    )
    assert not told["there"]
    assert "CONDA_PREFIX" not in told["variables"]
    assert told["variables"]["CONDA_OVERRIDE_CUDA"] == "12.4"
    assert (
        told["variables"]["CONDA_ALWAYS_COPY"] == told["variables"]["MAMBA_ALWAYS_COPY"] == "true"
    )
    assert told["variables"]["CONDA_CHANNEL_PRIORITY"] == "strict"
    assert {
        each.name for each in environment.path.glob("lib/python*/site-packages/*.dist-info")
    } == {
        "alpha-1.0.dist-info",
        "beta-1.0.dist-info",
    }
    assert not prepare(asked, EnvType.CONDA, root=root).built


def test_a_named_program_wins_and_embedded_names_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path, named = Fake(folder, "conda"), Fake(folder.parent / "bin", "mamba")
    found = [external.find(None, os.environ)]
    monkeypatch.setenv("MLFLOW_CONDA_HOME", str(folder.parent))
    (folder.parent / "bin" / "conda").symlink_to(on_path.path)
    found.append(external.find(None, os.environ))
    monkeypatch.setenv("ENVKIT_CONDA_EXE", str(named.path))
    found += [external.find(None, os.environ), external.find(on_path.path, os.environ)]

    assert [each.program for each in found if each] == [
        on_path.path,
        folder.parent / "bin" / "conda",
        named.path,
        on_path.path,
    ]
    assert external.find("embedded", os.environ) is None


def test_a_lock_becomes_a_list_of_archives(
    folder: Path, asked: EnvironmentSpec, root: Path
) -> None:
    fake = Fake(folder, "conda")
    urls = [
        f"https://conda.example/conda-forge/linux-64/{name}-0.conda"
        for name in (f"python-{RUNNING}", "pip-23.2.1", "libenvkit-demo-1.0")
    ]
    subdir = machine.subdir()
    packages = [{"conda": url, "sha256": "0" * 64, "md5": "1" * 32} for url in urls]
    content = {
        "version": 7,
        "environments": {"default": {"packages": {subdir: [{"conda": url} for url in urls]}}},
        "packages": packages,
    }
    (asked.directory / "pixi.lock").write_text(json.dumps(content))
    prepare(replace(asked, conda_lock=asked.directory / "pixi.lock"), EnvType.CONDA, root=root)

    assert fake.told["argv"][0] == "create"
    assert fake.told["file"].splitlines() == ["@EXPLICIT", *(f"{url}#{'1' * 32}" for url in urls)]


def test_what_a_failing_program_said_is_shown_and_nothing_stays(
    folder: Path, asked: EnvironmentSpec, root: Path
) -> None:
    Fake(folder, "conda", fails=True)

    with pytest.raises(BuildFailed, match="said by the program"):
        prepare(asked, EnvType.CONDA, root=root)
    assert [*(root / "environments").iterdir()] == []


def test_credentials_that_a_program_writes_into_its_records_are_taken_out(
    folder: Path, asked: EnvironmentSpec, root: Path
) -> None:
    Fake(folder, "conda", url="https://anna:s3cr3t-w0rd@conda.example/ours/linux-64/python.conda")
    named = replace(asked, conda_channels=("https://anna:s3cr3t-w0rd@conda.example/ours",))
    environment = prepare(named, EnvType.CONDA, root=root)

    assert "s3cr3t" not in (environment.path / "conda-meta" / "python.json").read_text()


def test_a_named_program_that_is_not_there_is_told(asked: EnvironmentSpec, root: Path) -> None:
    with pytest.raises(ToolNotFound, match="/nowhere/conda"):
        prepare(asked, EnvType.CONDA, root=root, conda_exe="/nowhere/conda")
