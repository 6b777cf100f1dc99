"""The program that a user names as an interpreter."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from envkit.errors import NotAnInterpreter


def find_program(named: str | Path | None) -> Path:
    """Find the program: `named` itself, that of an environment's folder, or a command on the PATH.

    None is the interpreter that runs envkit. Raises `NotAnInterpreter` when there is no such
    program; what it is, is not checked.
    """
    if named is None:
        return Path(sys.executable)
    # not resolved: its symbolic link tells a virtual environment
    path = Path(named).expanduser().absolute()
    for program in (path, path / "bin" / "python", path / "Scripts" / "python.exe"):
        if program.is_file() and os.access(program, os.X_OK):
            return program
    if is_command(named) and not path.exists():
        on_path = shutil.which(str(named))
        if on_path is not None:
            return Path(on_path)
    if path.is_dir():
        problem = "the folder has no bin/python"
    else:
        problem = "there is no such program"
    raise NotAnInterpreter(str(named), problem)


def active_environment() -> Path | None:
    """The virtual environment that a user works in: `VIRTUAL_ENV`, else `./.venv`, else None."""
    for folder in (os.environ.get("VIRTUAL_ENV"), ".venv"):
        if not folder:
            continue
        program = Path(folder).absolute() / "bin" / "python"
        if program.is_file() and os.access(program, os.X_OK):
            return program
    return None


def is_command(named: str | Path) -> bool:
    """Whether this could be a command on the PATH: a name without a folder."""
    return os.sep not in str(named)
