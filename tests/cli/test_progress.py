"""Progress is bars on a real terminal, and lines or nothing elsewhere."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

from tests.builders.interpreters import RUNNING
from tests.builders.models import write_environment, write_mlmodel
from tests.builders.wheels import write_wheel

ENVKIT = [sys.executable, "-m", "envkit"]
COLOURS = re.compile(rb"\x1b\[[0-9;]*m")
CONTROLS = re.compile(rb"(\r|\n|\x1b\[\?25[lh]|\x1b\[[0-9;]*[A-Za-z])")


class OnTerminal(Protocol):
    """Runs envkit with a terminal as its standard error; gives what it writes there."""

    def __call__(self, *words: str | Path, **variables: str) -> bytes: ...


@pytest.fixture
def small_model(tmp_path: Path) -> Path:
    model = write_mlmodel(tmp_path / "model", "own")
    (model / "wheels").mkdir()
    write_wheel(model / "wheels", "alpha", "1.0")
    requirements = "--no-index\n--find-links wheels\nalpha==1.0\n"
    return write_environment(model, requirements=requirements, python=RUNNING)


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> OnTerminal:
    """Run envkit with a terminal as its standard error; give what it writes there."""

    def run(*words: str | Path, **variables: str) -> bytes:
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm-256color", "CI": "", **variables}
        process = subprocess.Popen(
            [*ENVKIT, *words], stdout=subprocess.DEVNULL, stderr=theirs, env=environment
        )
        os.close(theirs)
        written = b""
        try:
            while part := os.read(ours, 65536):
                written += part
        except OSError:  # Linux's end of file for a terminal whose other side is closed
            pass
        assert process.wait() == 0, written
        os.close(ours)
        return written

    monkeypatch.delenv("NO_COLOR", raising=False)
    return run


def final_screen(written: bytes) -> list[str]:
    """Give the lines that a terminal shows in the end, without empty ones at the bottom."""
    lines, row, column = [""], 0, 0
    for part in CONTROLS.split(written):
        if part == b"\r":
            column = 0
        elif part == b"\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == b"\x1b[2K":
            lines[row] = ""
        elif part == b"\x1b[1A":
            row -= 1
        elif not part.startswith(b"\x1b"):
            text = part.decode()
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            column += len(text)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


@pytest.mark.e2e
def test_a_terminal_shows_bars_and_only_the_lines_are_left(
    small_model: Path, on_terminal: OnTerminal
) -> None:
    written = on_terminal("prepare-env", small_model)

    assert b"Finding packages" in written
    assert b"Installing 1 package" in written
    assert COLOURS.search(written)
    (line,) = final_screen(written)
    assert re.fullmatch(r"Building \S+ with uv", line)
    assert written.count(b"\x1b[?25l") == written.count(b"\x1b[?25h"), "the cursor is shown again"


@pytest.mark.e2e
def test_a_step_that_takes_no_time_shows_nothing(
    small_model: Path, on_terminal: OnTerminal
) -> None:
    on_terminal("prepare-env", small_model)

    assert on_terminal("prepare-env", small_model) == b""


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("words", "variables", "text"),
    [
        ([], {"CI": "true"}, rb"Building \S+ with uv\r\nInstalled 1 package in \S+\r\n"),
        ([], {"TERM": "dumb"}, rb"Building \S+ with uv\r\nInstalled 1 package in \S+\r\n"),
        (["-q"], {}, rb""),
    ],
)
def test_without_a_terminal_that_draws_there_are_lines_and_with_quiet_nothing(
    words: list[str],
    variables: dict[str, str],
    text: bytes,
    small_model: Path,
    on_terminal: OnTerminal,
) -> None:
    assert re.fullmatch(text, on_terminal("prepare-env", *words, small_model, **variables))


@pytest.mark.e2e
def test_no_color_draws_without_colours(small_model: Path, on_terminal: OnTerminal) -> None:
    written = on_terminal("prepare-env", small_model, NO_COLOR="1")

    assert b"Finding packages" in written
    assert not COLOURS.search(written.replace(b"\x1b[0m", b""))


@pytest.mark.e2e
@pytest.mark.parametrize(("words", "lines"), [([], 2), (["-q"], 0)])
def test_a_pipe_gets_no_escape_codes(words: list[str], lines: int, small_model: Path) -> None:
    ended = subprocess.run(
        [*ENVKIT, "prepare-env", *words, small_model], capture_output=True, text=True, check=True
    )

    assert "\x1b" not in ended.stderr + ended.stdout
    assert len(ended.stderr.splitlines()) == lines
    assert len(ended.stdout.splitlines()) == 1
