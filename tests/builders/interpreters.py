"""Interpreters that tests run programs with."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

RUNNING = platform.python_version()
"""The version of the interpreter that runs the tests."""
RUNNING_MINOR = RUNNING.rpartition(".")[0]

MINORS = tuple(f"3.{minor}" for minor in range(8, 15))
"""The minor versions in which envkit runs programs."""


def interpreter(minor: str) -> str | None:
    """Give the path of an interpreter of a minor version: the running one, or pyenv's newest."""
    if minor == RUNNING_MINOR:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    interpreters = sorted(pyenv.glob(f"versions/{minor}.*/bin/python"))
    return str(interpreters[-1]) if interpreters else None
