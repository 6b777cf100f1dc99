"""Bars on a real terminal; lines, or nothing, elsewhere."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.wheels import write_wheel

ENVKIT = [sys.executable, "-m", "envkit"]
MOVES = re.compile(rb"\x1b\[(?:\?25[lh]|[0-9]*[AK]|2K|1A)|\r(?!\n)")
COLOURS = re.compile(rb"\x1b\[[0-9;]*m")


@pytest.fixture
def small_model(tmp_path: Path) -> Path:
    model = tmp_path / "model"
    (model / "wheels").mkdir(parents=True)
    write_wheel(model / "wheels", "alpha", "1.0")
    (model / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: own\n")
    version = ".".join(str(part) for part in sys.version_info[:3])
    (model / "python_env.yaml").write_text(
        f"python: '{version}'\ndependencies:\n- -r requirements.txt\n"
    )
    (model / "requirements.txt").write_text("--no-index\n--find-links wheels\nalpha==1.0\n")
    return model


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., bytes]:
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
        except OSError:  # the other end is closed
            pass
        assert process.wait() == 0, written
        os.close(ours)
        return written

    monkeypatch.delenv("NO_COLOR", raising=False)
    return run


@pytest.mark.e2e
def test_a_terminal_gets_bars_that_go_away(
    small_model: Path, on_terminal: Callable[..., bytes]
) -> None:
    written = on_terminal("prepare-env", small_model)

    assert b"Finding packages" in written
    assert MOVES.search(written)
    assert COLOURS.search(written)
    assert written.rstrip().endswith(b"\x1b[2K") or b"Building" in written.rsplit(b"\x1b[2K", 1)[0]
    assert on_terminal("prepare-env", small_model) == b""  # nothing takes time


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("words", "variables", "text"),
    [
        ([], {"CI": "true"}, rb"Building \S+ with uv\r\nInstalled 1 package in \S+\r\n"),
        ([], {"TERM": "dumb"}, rb"Building \S+ with uv\r\nInstalled 1 package in \S+\r\n"),
        (["-q"], {}, rb""),
    ],
)
def test_what_cannot_draw_gets_lines_and_the_quiet_nothing(
    words: list[str],
    variables: dict[str, str],
    text: bytes,
    small_model: Path,
    on_terminal: Callable[..., bytes],
) -> None:
    assert re.fullmatch(text, on_terminal("prepare-env", *words, small_model, **variables))


@pytest.mark.e2e
def test_no_color_draws_without_colours(
    small_model: Path, on_terminal: Callable[..., bytes]
) -> None:
    written = on_terminal("prepare-env", small_model, NO_COLOR="1")

    assert b"Finding packages" in written
    assert not COLOURS.search(written.replace(b"\x1b[0m", b""))


@pytest.mark.e2e
@pytest.mark.parametrize("words", [[], ["-q"]])
def test_a_pipe_gets_no_escape_codes(words: list[str], small_model: Path) -> None:
    done = subprocess.run(
        [*ENVKIT, "prepare-env", *words, small_model], capture_output=True, text=True, check=True
    )

    assert "\x1b" not in done.stderr + done.stdout
    assert len(done.stderr.splitlines()) == (0 if words else 2)
    assert len(done.stdout.splitlines()) == 1
