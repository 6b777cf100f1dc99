"""One program describes a Python; it is started in the real ones that this machine has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from packaging.markers import default_environment

from envkit.errors import NotAnInterpreter
from envkit.interpreters import describe as describing
from envkit.interpreters.describe import ask, describe
from envkit.interpreters.locations import pyenv_versions
from envkit.interpreters.program import find_program
from envkit.interpreters.visible_paths import visible_paths
from tests.builders.interpreters import MINORS, interpreter

OLD = ("2.7.18", "3.6.15", "3.7.16")


def an_old_python(version: str) -> Path:
    program = pyenv_versions(os.environ) / version / "bin" / "python"
    if not program.exists():
        pytest.skip(f"Python {version} is not on this machine")
    return program


def pretender(folder: Path, text: str) -> Path:
    """A program that is called python and is a shell script."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return program


# --- the program that a user names


def test_a_program_the_folder_of_an_environment_and_a_command_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(program.parent))
    (program.parent / "python9.9").symlink_to(sys.executable)

    assert find_program(program) == program
    assert find_program(tmp_path) == program
    assert find_program("python9.9") == program.parent / "python9.9"
    assert find_program(None) == Path(sys.executable)


@pytest.mark.parametrize("name", ["nothing", "no/such/python"])
def test_a_program_that_is_missing_is_reported(name: str) -> None:
    with pytest.raises(NotAnInterpreter, match="no such program"):
        find_program(name)


def test_a_folder_without_an_interpreter_is_reported(tmp_path: Path) -> None:
    with pytest.raises(NotAnInterpreter, match="has no bin/python"):
        find_program(tmp_path)


# --- what it reports


@pytest.mark.parametrize("minor", MINORS)
def test_every_supported_python_describes_itself(minor: str) -> None:
    program = interpreter(minor)
    if program is None:
        pytest.skip(f"Python {minor} is not on this machine")

    code = (
        "import json, sys, sysconfig as s\n"
        "print(json.dumps([sys.version.split()[0], s.get_platform(), s.get_path('stdlib')]))"
    )
    shown = subprocess.check_output([program, "-I", "-c", code])

    facts = describe(program, isolated=True)

    version, platform, stdlib = json.loads(shown)
    assert (facts.version, facts.platform) == (version, platform)
    assert stdlib in facts.library
    assert stdlib in facts.stdlib
    assert len(facts.markers) == 11
    assert facts.markers["python_full_version"] == version
    assert facts.markers["platform_python_implementation"] == "CPython"
    assert facts.interpreter.minor == minor
    assert facts.interpreter.executable.is_file()


def test_the_facts_are_those_that_the_interpreter_has() -> None:
    facts = describe(None)

    assert facts.executable == sys.executable
    assert (facts.prefix, facts.base_prefix) == (sys.prefix, sys.base_prefix)
    assert facts.markers == default_environment()
    assert facts.platform == sysconfig.get_platform()
    assert facts.interpreter.abi == sysconfig.get_config_var("SOABI")
    assert facts.library_folder == sysconfig.get_config_var("LIBDIR")
    assert set(facts.tools) == {"pip", "setuptools", "wheel"}


def test_the_search_path_is_that_of_a_program_without_a_folder(tmp_path: Path) -> None:
    path = os.pathsep.join([str(tmp_path), "relative"])
    environment = {**os.environ, "PYTHONPATH": path}
    shown = subprocess.check_output(
        [sys.executable, "-c", "import sys; print(sys.path[1:])"], env=environment, text=True
    )
    expected = [os.path.abspath(folder) for folder in eval(shown)]  # noqa: PTH100

    facts = describe(None, environment=environment)

    assert list(facts.sys_path) == expected
    assert str(describing.PROGRAM.parent) not in facts.sys_path


def test_an_isolated_interpreter_ignores_the_callers_search_path(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    assert str(tmp_path) in describe(None, environment=environment).sys_path
    assert str(tmp_path) not in describe(None, environment=environment, isolated=True).sys_path


def test_an_environment_that_prints_at_its_start_and_its_end_is_described(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, sys\nprint('good morning', end='')\n"
        "print('warning', end='', file=sys.stderr)\natexit.register(print, 'good night')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    assert str(tmp_path) in describe(None, environment=environment).sys_path


@pytest.mark.parametrize("version", OLD)
def test_an_old_python_says_how_old_it_is(version: str) -> None:
    program = an_old_python(version)

    assert ask(program, os.environ, isolated=False)["version"] == version
    with pytest.raises(NotAnInterpreter, match=rf"is Python {version}, and envkit needs 3\.8"):
        describe(program)


# --- what is not a Python


@pytest.mark.parametrize(
    "text",
    ["import x\nprint(", "echo SyntaxError >&2; exit 1", "true", "echo '{}'", "echo '[1]'"],
)
def test_a_program_that_is_not_a_python_prints_nothing(
    text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotAnInterpreter, match="did not describe itself"):
        describe(pretender(tmp_path, text))
    assert capfd.readouterr() == ("", "")


def test_a_description_that_lacks_something_is_refused(tmp_path: Path) -> None:
    program = pretender(tmp_path, """echo '{"version": "3.11.7"}'""")

    with pytest.raises(NotAnInterpreter, match="incomplete"):
        describe(program)


def test_a_program_that_cannot_be_started_is_reported(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_bytes(b"\0")
    program.chmod(0o755)

    with pytest.raises(NotAnInterpreter, match="Exec format error"):
        describe(program)


# --- what a sandbox leaves visible of it


def test_editable_projects_stay_visible(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for name, content in {
        "mine": {"url": "file:///my%20project", "dir_info": {"editable": True}},
        "other": {"url": "file:///other", "dir_info": {}},
        "odd": [],
    }.items():
        record = site / f"{name}-1.0.dist-info" / "direct_url.json"
        record.parent.mkdir(parents=True)
        record.write_text(json.dumps(content))
    environment = {**os.environ, "PYTHONPATH": str(site)}

    visible = list(visible_paths(describe(None, environment=environment), environment))

    assert {Path(sys.executable), Path(sys.prefix), site, Path("/my project")} <= set(visible)
    assert Path("/other") not in visible
