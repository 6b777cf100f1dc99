"""Ctrl-C ends with status 130 and no traceback at any time; SIGTERM leaves nothing behind.

The next run removes what SIGKILL leaves.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.models import write_model

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


@pytest.mark.parametrize(
    "module", ["click", "envkit.errors", "envkit.cli.deps", "envkit.models.dependencies"]
)
def test_an_interrupt_during_an_import_prints_no_traceback(module: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, module],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.read(1) == "x"
    process.send_signal(signal.SIGINT)

    assert process.communicate(timeout=20)[1] == "Interrupted.\n"
    assert process.returncode == 130


SLOW = """
import time
def _load_pyfunc(path):
    print("loading", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_terminated_command_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    model = write_model(tmp_path / "model", SLOW)
    process = subprocess.Popen(
        [sys.executable, "-m", "envkit", "capture", model, "--python", sys.executable],
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "loading\n"
    process.send_signal(number)
    output = process.communicate(timeout=20)[1]

    assert process.returncode == 128 + number
    assert output == ("Interrupted.\n" if number is signal.SIGINT else "")
    assert list(temporary.iterdir()) == []


def test_the_next_command_removes_what_sigkill_leaves(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    model = write_model(tmp_path / "model", SLOW, python="3.11.7")
    request = tmp_path / "request.json"
    request.write_text("{}")
    options: list[str | Path] = ["--env-manager", "local", "-i", request]
    predict: list[str | Path] = [sys.executable, "-m", "envkit", "predict", model, *options]
    variables = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(predict, stderr=subprocess.PIPE, env=variables, text=True) as process:
        assert process.stderr is not None
        assert "loading\n" in iter(
            process.stderr.readline, ""
        )  # no further, so that nothing blocks
        process.send_signal(signal.SIGKILL)
    left = list(temporary.iterdir())
    ended = subprocess.run(
        [*predict, "--timeout", "1"], env=variables, capture_output=True, text=True, check=False
    )

    assert left != []
    assert ended.returncode == 6
    assert list(temporary.iterdir()) == []
