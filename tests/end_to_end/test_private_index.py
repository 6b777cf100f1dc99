"""A lock of an index behind a password: rebuilt where the variables that it names are set."""

from __future__ import annotations

from pathlib import Path

import pytest

import envkit
from envkit.errors import BuildFailed
from tests.builders import package_index
from tests.builders.command_line import run_envkit
from tests.builders.installer_settings import use_only_index
from tests.builders.requirement_models import requirement_model

NAMES = ("INDEX_127_0_0_1_USERNAME", "INDEX_127_0_0_1_PASSWORD")


@pytest.mark.e2e
@pytest.mark.parametrize("manager", [envkit.EnvType.UV, envkit.EnvType.VIRTUALENV])
def test_the_credentials_come_from_the_variables_that_the_lock_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manager: envkit.EnvType
) -> None:
    index = use_only_index(tmp_path / "index", monkeypatch)
    package_index.add_wheel(index, "acme", "1.0")
    path = requirement_model(tmp_path, "acme==1.0\n", "")
    with package_index.serve_folder(index, login="joe:s3cret") as host:
        with monkeypatch.context() as configured:
            configured.setenv("UV_DEFAULT_INDEX", f"http://joe:s3cret@{host}/simple")
            assert run_envkit("lock", path).exit_code == 0
        for name in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL"):
            monkeypatch.setenv(name, (tmp_path / "model").as_uri())
        monkeypatch.setenv("PIP_RETRIES", "0")
        with pytest.raises(BuildFailed):
            envkit.prepare_env(path, env_manager=manager)

        for name, value in zip(NAMES, ("joe", "s3cret"), strict=True):
            monkeypatch.setenv(name, value)
        built = envkit.prepare_env(path, env_manager=manager)

    folder = built.python.parent.parent
    assert list(folder.rglob("acme.py"))
    assert not [
        each for each in folder.rglob("*") if each.is_file() and b"s3cret" in each.read_bytes()
    ]
