"""Nothing of the host's packages is seen in a rebuilt environment, whatever the host sets."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envkit.child import process
from envkit.child import variables as variables_of
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.installers.installer import Workshop
from envkit.environments.installers.uv import Uv
from envkit.environments.reproduction import predict
from envkit.environments.store import housekeeping, manifest
from envkit.errors import BuildFailed
from envkit.interpreters import locations
from envkit.interpreters.interpreter import Interpreter
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.environments import prepare

MANAGERS = [EnvType.UV, EnvType.VIRTUALENV]
POISON = "raise SystemExit('the host was seen')\n"


@pytest.fixture
def hostile_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host that would put modules of its own everywhere."""
    host = tmp_path / "host"
    site = (
        host
        / ".local"
        / "lib"
        / f"python{sys.version_info.major}.{sys.version_info.minor}"
        / "site-packages"
    )
    site.mkdir(parents=True)
    for folder in (host, site):
        for name in ("sitecustomize.py", "usercustomize.py", "beta.py"):
            (folder / name).write_text(POISON)
    for name, value in {
        "PYTHONPATH": host,
        "PYTHONHOME": host,
        "PYTHONUSERBASE": host / ".local",
        "PYTHONSTARTUP": host / "beta.py",
        "VIRTUAL_ENV": host,
        "CONDA_PREFIX": host,
        "UV_PROJECT_ENVIRONMENT": host,
        "PIP_TARGET": host,
        "PIP_USER": "1",
        "UV_SYSTEM_PYTHON": "1",
        "PIP_PREFIX": host,
        "UV_TARGET": host,
        "HOME": host,
    }.items():
        monkeypatch.setenv(name, str(value))
    return host


def seen(environment: Environment, code: str) -> str:
    ended = process.run(
        [environment.python, "-c", code],
        environment=variables_of.for_program(os.environ, environment.python),
        keep_output=True,
    )
    assert ended.succeeded, ended.output
    return ended.output.strip()


@pytest.mark.e2e
@pytest.mark.parametrize("manager", MANAGERS)
def test_nothing_of_the_host_is_seen_while_it_is_built_and_used(
    manager: EnvType, spec: EnvironmentSpec, root: Path, hostile_host: Path
) -> None:
    environment = prepare(spec, manager, root=root)
    told = seen(
        environment,
        "import alpha, beta, sys, site; print(beta.__file__, site.ENABLE_USER_SITE, *sys.path)",
    )

    assert told.startswith(str(environment.path))
    assert str(hostile_host) not in told
    assert told.count("site-packages") == 2  # the file, and its folder on the path
    configured = (environment.path / "pyvenv.cfg").read_text()
    assert "include-system-site-packages = false" in configured


SETTINGS_OF_INSTALLERS = {
    "VIRTUALENV_SYSTEM_SITE_PACKAGES": "1",
    "VIRTUALENV_PIP": "bundle",
    "VIRTUALENV_CLEAR": "1",
    "VIRTUALENV_PYTHON": "/nowhere",
    "VIRTUALENV_CREATOR": "nothing-such",
    "PIP_NO_DEPS": "1",
    "PIP_CONSTRAINT": "/nowhere",
    "PIP_ROOT": "{folder}",
    "PIP_DRY_RUN": "1",
    "PIP_REQUIRE_HASHES": "1",
    "UV_SYSTEM_SITE_PACKAGES": "1",
    "UV_VENV_SEED": "1",
    "UV_VENV_RELOCATABLE": "1",
    "UV_NO_DEPS": "1",
    "UV_CONSTRAINT": "/nowhere",
    "UV_LINK_MODE": "symlink",
    "UV_CONFIG_FILE": "{folder}/uv.toml",
}


@pytest.fixture
def settings_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configuration files of all installers, with settings that decide what is installed where."""
    folder = tmp_path / "settings"
    virtualenv = "[virtualenv]\nsystem-site-packages = true\npip = bundle\nseeder = app-data\n"
    pip = f"[global]\nno-deps = true\ntarget = {folder}\n[install]\ndry-run = true\nroot = /x\n"
    uv = 'link-mode = "symlink"\n[pip]\nno-deps = true\nsystem = true\n'
    for path, text in {
        "virtualenv/virtualenv.ini": virtualenv,
        "named.ini": virtualenv,
        "pip/pip.conf": pip,
        "named.conf": pip,
        "uv/uv.toml": uv,
        "uv.toml": uv,
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder


@pytest.mark.e2e
@pytest.mark.parametrize("manager", MANAGERS)
@pytest.mark.parametrize("where", ["variables", "files", "named files"])
def test_no_setting_of_an_installer_changes_an_environment(
    manager: EnvType,
    where: str,
    spec: EnvironmentSpec,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if where == "variables":
        for name, value in SETTINGS_OF_INSTALLERS.items():
            monkeypatch.setenv(name, value.format(folder=tmp_path))
    else:
        folder = request.getfixturevalue("settings_everywhere")
        if where == "named files":
            monkeypatch.setenv("VIRTUALENV_CONFIG_FILE", str(folder / "named.ini"))
            monkeypatch.setenv("PIP_CONFIG_FILE", str(folder / "named.conf"))
            monkeypatch.setenv("UV_CONFIG_FILE", str(folder / "uv.toml"))
    environment = prepare(spec, manager, root=root)
    packages = {
        info.name for info in environment.path.glob("lib/python*/site-packages/*.dist-info")
    }

    assert packages == {"alpha-1.0.dist-info", "beta-1.0.dist-info"}
    configured = (environment.path / "pyvenv.cfg").read_text()
    assert "include-system-site-packages = false" in configured


@pytest.mark.parametrize("value", ["true", "TRUE", "True "])
def test_an_environment_that_sees_the_systems_packages_is_never_ready(
    value: str, spec: EnvironmentSpec, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Uv.create

    def see_the_system(self: Uv, interpreter: Interpreter, workshop: Workshop) -> None:
        create(self, interpreter, workshop)
        configuration = workshop.place / "pyvenv.cfg"
        text = configuration.read_text().replace("= false", f"= {value}")
        configuration.write_text(text)

    monkeypatch.setattr(Uv, "create", see_the_system)
    with pytest.raises(BuildFailed, match="include-system-site-packages"):
        prepare(spec, EnvType.UV, root=root)
    assert not list(root.glob("environments/*"))


def test_verify_finds_one_that_sees_the_systems_packages_although_it_was_recorded_so(
    spec: EnvironmentSpec, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = prepare(spec, EnvType.UV, root=root)
    configuration = environment.path / "pyvenv.cfg"
    configuration.write_text(configuration.read_text().replace("= false", "= true"))
    manifest.write(environment.path)

    (verified,) = housekeeping.verify((), root)
    assert any("include-system-site-packages" in problem for problem in verified.problems)


VERSIONS = ["3.8.18", "3.9.18", "3.10.13", "3.11.7", "3.12.1", "3.13.0"]


@pytest.mark.slow
@pytest.mark.parametrize("manager", MANAGERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_model_of_each_python_predicts(
    manager: EnvType, version: str, packable_for: Callable[[str], Path], tmp_path: Path
) -> None:
    if not (locations.pyenv_versions(os.environ) / version).exists():
        pytest.skip(f"Python {version} is not on this machine")

    assert predict(packable_for(version), {"inputs": [1]}, env_manager=manager) == ["1.0", version]


@pytest.mark.slow
@pytest.mark.parametrize("manager", MANAGERS)
def test_an_interpreter_without_ensurepip_and_venv_will_do(
    manager: EnvType, packable_for: Callable[[str], Path], tmp_path: Path
) -> None:
    """A copy of an interpreter, as Debian's python3 is without python3-venv."""
    import shutil

    source = locations.pyenv_versions(os.environ) / "3.12.1"
    if not source.exists():
        pytest.skip("Python 3.12.1 is not on this machine")
    bare = tmp_path / "bare"
    left_out = shutil.ignore_patterns(
        "ensurepip", "venv", "test", "site-packages", "*.a", "__pycache__"
    )
    shutil.copytree(source / "lib", bare / "lib", ignore=left_out, symlinks=True)
    (bare / "bin").mkdir()
    shutil.copy2(source / "bin" / "python3.12", bare / "bin" / "python3.12")

    python = bare / "bin" / "python3.12"
    assert predict(packable_for("3.12.1"), {"inputs": [1]}, env_manager=manager, python=python) == [
        "1.0",
        "3.12.1",
    ]
