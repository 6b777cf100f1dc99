"""Processes of envkit's own: what they give back, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envkit.child.process_pool import in_processes

PROGRAM = """
import sys, time
from pathlib import Path
from envkit.child.process_pool import in_processes

def work(path):
    Path(path).touch()
    try:
        time.sleep(30)
    finally:
        Path(path + ".cleaned").touch()

if __name__ == "__main__":
    in_processes(work, sys.argv[1:], 2)
"""


def test_results_come_in_order_whatever_the_number_of_processes() -> None:
    assert (
        in_processes(str.upper, ["a", "b", "c"], 2)
        == in_processes(str.upper, ["a", "b", "c"], 1)
        == ["A", "B", "C"]
    )


@pytest.mark.skipif(os.name != "posix", reason="signals of groups")
def test_an_interrupt_ends_all_soon_with_their_cleanup_and_without_their_tracebacks(
    tmp_path: Path,
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    items = [str(tmp_path / f"item{number}") for number in range(8)]
    with subprocess.Popen(
        [sys.executable, tmp_path / "program.py", *items],
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:
        while len(list(tmp_path.glob("item?"))) < 2:
            time.sleep(0.02)
        began = time.monotonic()
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=20)

    assert time.monotonic() - began < 10
    assert said.count(b"Traceback") == 1  # the program's own
    assert len(list(tmp_path.glob("item?"))) == len(list(tmp_path.glob("*.cleaned"))) == 2


def test_processes_have_the_variables_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("before", "after"):
        monkeypatch.setenv("ENVKIT_TEST_MOMENT", value)

        assert in_processes(os.getenv, ["ENVKIT_TEST_MOMENT"] * 2, 2) == [value] * 2
