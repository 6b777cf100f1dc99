"""uv downloads interpreters from a mirror on this machine, made of an interpreter that is here."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.environments.env_type import EnvType
from envkit.errors import InterpreterNotFound
from envkit.interpreters import downloads, locations
from envkit.interpreters.policy import PythonPolicy
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.environments import prepare

VERSION = "3.10.13"
LEFT_OUT = {"test", "idlelib", "site-packages", "__pycache__", "tkinter", "ensurepip"}


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """The list of downloads, as uv reads it, of a mirror with one interpreter."""
    source = locations.pyenv_versions(os.environ) / VERSION
    if not source.exists():
        pytest.skip(f"Python {VERSION} is not on this machine")
    archive = tmp_path / "mirror" / f"cpython-{VERSION}.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(source / "bin" / "python3.10", "python/bin/python3.10")
        tar.add(source / "lib" / "python3.10", "python/lib/python3.10", filter=_needed)
    return listed(archive, hashlib.sha256(archive.read_bytes()).hexdigest())


def listed(archive: Path, digest: str) -> Path:
    machine = os.uname().machine
    entry = {
        "name": "cpython",
        "arch": {"family": machine, "variant": None},
        "os": "linux",
        "libc": "gnu",
        "major": 3,
        "minor": 10,
        "patch": 13,
        "prerelease": "",
        "variant": None,
        "build": "20260101",
        "url": archive.as_uri(),
        "sha256": digest,
    }
    path = archive.with_name("downloads.json")
    path.write_text(json.dumps({f"cpython-{VERSION}-linux-{machine}-gnu": entry}))
    return path


def _needed(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if LEFT_OUT & {*member.name.split("/")} or member.name.endswith(".a") else member


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """There is no other Python than the one that runs envkit; uv may download.

    Gives uv's folder of interpreters.
    """
    for name, value in {
        "PYENV_ROOT": "none",
        "PATH": "none",
        "UV_PYTHON_INSTALL_DIR": "uv",
    }.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    monkeypatch.delenv("UV_PYTHON_DOWNLOADS")
    return tmp_path / "uv"


@pytest.mark.e2e
def test_a_version_that_is_not_there_is_downloaded_into_uvs_folder_and_used(
    spec: EnvironmentSpec,
    root: Path,
    mirror: Path,
    bare_machine: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", str(mirror))
    lines: list[str] = []
    environment = prepare(replace(spec, python=VERSION), EnvType.UV, root=root, report=lines.append)

    assert environment.built
    assert environment.notes == ()
    assert (environment.path / "bin" / "python").resolve().is_relative_to(bare_machine)
    assert f"Downloading Python {VERSION} with uv" in lines
    again = prepare(replace(spec, python=VERSION), EnvType.UV, root=root)
    assert not again.built


@pytest.mark.e2e
def test_another_patch_version_is_downloaded_when_the_policy_lets_it(
    spec: EnvironmentSpec,
    root: Path,
    mirror: Path,
    bare_machine: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", str(mirror))
    wanted = replace(spec, python="3.10.99")

    with pytest.raises(InterpreterNotFound, match="uv could not download it"):
        prepare(wanted, EnvType.UV, root=root, python_policy=PythonPolicy.EXACT)
    assert VERSION in prepare(wanted, EnvType.UV, root=root).notes[0]


def test_a_download_that_was_tampered_with_is_refused(
    mirror: Path, bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(mirror.with_name(f"cpython-{VERSION}.tar.gz"), "0" * 64)
    environ = {**os.environ, "UV_PYTHON_DOWNLOADS_JSON_URL": str(mirror)}

    assert "could not download it" in downloads.fetch(VERSION, environ, lambda _: None)
    assert not list(bare_machine.glob("cpython-*"))


def test_the_mirror_of_the_machine_is_asked_and_named_when_it_has_nothing(
    tmp_path: Path, bare_machine: Path
) -> None:
    environ = {
        **os.environ,
        "COLUMNS": "60",
        "UV_PYTHON_INSTALL_MIRROR": (tmp_path / "empty").as_uri(),
    }

    assert str(tmp_path / "empty") in downloads.fetch("3.12", environ, lambda _: None)


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"UV_PYTHON_DOWNLOADS": "never"}, "UV_PYTHON_DOWNLOADS is never"),
        ({"UV_PYTHON_DOWNLOADS": "manual"}, "UV_PYTHON_DOWNLOADS is manual"),
        ({"UV_OFFLINE": "1"}, "offline"),
    ],
)
def test_where_uv_may_not_download_nothing_is_tried_and_the_reason_is_told(
    variables: dict[str, str],
    why: str,
    spec: EnvironmentSpec,
    root: Path,
    bare_machine: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(InterpreterNotFound, match=why):
        prepare(
            replace(spec, python=VERSION),
            EnvType.UV,
            root=root,
            report=lambda line: pytest.fail(line),
        )


def test_uvs_settings_may_refuse_too(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text('python-downloads = "never"\n')
    environ = {"UV_CONFIG_FILE": str(tmp_path / "uv.toml")}

    assert "uv's setting python-downloads is never" in downloads.fetch(
        "3.12", environ, lambda _: None
    )
