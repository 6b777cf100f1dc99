"""Ctrl-C at any time after Python itself has started ends with the one status and no traceback; SIGTERM undoes all.

What SIGKILL leaves the next run removes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.parametrize(
    "module", ["click", "envkit.errors", "envkit.cli.deps", "envkit.models.environment_files"]
)
def test_an_interrupt_while_a_module_is_imported_is_no_traceback(module: str) -> None:
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


MODEL = """
import time
def _load_pyfunc(path):
    print("loading", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_to_be_terminated_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    temporary, model = tmp_path / "temporary", tmp_path / "model"
    temporary.mkdir()
    (model / "code").mkdir(parents=True)
    (model / "code" / "own_loader.py").write_text(MODEL)
    (model / "MLmodel").write_text(
        "flavors:\n  python_function:\n    loader_module: own_loader\n    code: code\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "envkit", "capture", model],
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "loading\n"
    process.send_signal(number)
    said = process.communicate(timeout=20)[1]

    assert process.returncode == 128 + number
    assert said == ("Interrupted.\n" if number is signal.SIGINT else "")
    assert list(temporary.iterdir()) == []


def test_what_sigkill_leaves_the_next_command_removes(tmp_path: Path) -> None:
    temporary, model, request = (
        tmp_path / "temporary",
        tmp_path / "model",
        tmp_path / "request.json",
    )
    temporary.mkdir()
    (model / "code").mkdir(parents=True)
    (model / "code" / "own_loader.py").write_text(MODEL)
    (model / "MLmodel").write_text(
        "flavors:\n  python_function:\n    loader_module: own_loader\n    code: code\n"
    )
    (model / "python_env.yaml").write_text("python: 3.11.7\n")
    request.write_text("{}")
    predict: list[str | Path] = [
        sys.executable,
        "-m",
        "envkit",
        "predict",
        model,
        "--env-manager",
        "local",
        "-i",
        request,
    ]
    variables = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(predict, stderr=subprocess.PIPE, env=variables, text=True) as process:
        assert process.stderr is not None
        assert "loading\n" in iter(process.stderr.readline, "")  # read no further than there
        process.send_signal(signal.SIGKILL)
    left = list(temporary.iterdir())
    ended = subprocess.run(
        [*predict, "--timeout", "1"], env=variables, capture_output=True, text=True, check=False
    )

    assert left != []
    assert ended.returncode == 6
    assert list(temporary.iterdir()) == []
