"""Ctrl-C at any time after Python itself has started ends with the one status and no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import sys, time
from envkit.__main__ import main

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == WAIT:
            sys.stdout.write("x")
            sys.stdout.flush()
            time.sleep(20)

WAIT = sys.argv[1]
sys.meta_path.insert(0, Slow())
sys.argv[1:] = ["deps", sys.argv[1]]
main()
"""


@pytest.mark.parametrize("module", ["click", "envkit.errors", "envkit.cli.deps", "envkit.models.environment_files"])
def test_an_interrupt_while_a_module_is_imported_is_no_traceback(module: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, module], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.read(1) == "x"
    process.send_signal(signal.SIGINT)

    assert process.communicate(timeout=20)[1] == "Interrupted.\n"
    assert process.returncode == 130
