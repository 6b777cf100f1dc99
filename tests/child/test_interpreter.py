"""The Python that a user names."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from envkit.child.runner import run_inside
from envkit.errors import NotAnInterpreter
from envkit.interpreters.program import find_program


def test_a_program_an_environments_folder_and_a_command_are_understood(
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


@pytest.mark.parametrize("name", ["nothing", "no/such/python"])
def test_what_is_not_there_is_told(name: str) -> None:
    with pytest.raises(NotAnInterpreter, match="no such program"):
        find_program(name)


@pytest.mark.parametrize("text", ["import x\nprint(", "echo SyntaxError >&2; exit 1"])
def test_what_is_no_python_prints_nothing_of_its_own(
    text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)

    with pytest.raises(NotAnInterpreter, match="does not answer as Python does"):
        run_inside(
            program, {"job": "predict"}, environment=dict(os.environ), timeout=None, isolated=False
        )
    assert capfd.readouterr() == ("", "")


def test_python_2_is_told_before_it_says_that_it_understands_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    program = Path(os.environ.get("PYENV_ROOT", "")) / "versions" / "2.7.18" / "bin" / "python"
    if not program.exists():
        pytest.skip("Python 2.7 is not on this machine")

    with pytest.raises(NotAnInterpreter, match=r"Python 2, and envkit needs 3\.8|Python 2"):
        run_inside(
            program, {"job": "predict"}, environment=dict(os.environ), timeout=None, isolated=False
        )
    assert capfd.readouterr() == ("", "")
