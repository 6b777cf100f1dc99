"""Which environment is the active one."""

from __future__ import annotations

from pathlib import Path

import pytest

from envkit.interpreters.program import active_environment


def _environment(folder: Path) -> Path:
    program = folder / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_the_active_environment_comes_before_that_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    assert active_environment() is None

    beside = _environment(tmp_path / ".venv")
    assert active_environment() == beside

    active = _environment(tmp_path / "active")
    monkeypatch.setenv("VIRTUAL_ENV", str(active.parents[1]))
    assert active_environment() == active

    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "removed"))
    assert active_environment() == beside
