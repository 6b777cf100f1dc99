"""Temporary folders, also of processes that were killed."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from envkit.child import scratch

HOLD = (
    "from envkit.child import scratch\nwith scratch.folder() as f:\n"
    "    print(f, flush=True)\n    input()\n"
)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setenv("TMPDIR", str(place))
    return place


def holder() -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_it_is_private_and_goes_with_all_that_is_in_it(temporary: Path) -> None:
    with scratch.folder() as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("x")
        (folder / "deep").chmod(0o500)
        mode = folder.stat().st_mode & 0o777

    assert mode == 0o700
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_lives_stays(
    temporary: Path,
) -> None:
    living, kept = holder()
    killed, left = holder()
    with killed:
        killed.send_signal(signal.SIGKILL)
    seen = left.is_dir()
    with scratch.folder() as own:
        there = set(temporary.iterdir())
    living.communicate("\n", timeout=20)

    assert seen
    assert there == {kept, own}
    assert list(temporary.iterdir()) == []


def test_what_is_not_ours_stays(temporary: Path) -> None:
    outside = temporary / "outside"
    outside.mkdir()
    (temporary / "envkit-scratch-link").symlink_to(outside)
    (temporary / "envkit-scratch-file").write_text("x")
    (temporary / "envkit-other").mkdir()
    scratch.sweep()

    assert len(list(temporary.iterdir())) == 4


def test_a_folder_of_another_user_stays(temporary: Path) -> None:
    foreign = temporary / "envkit-scratch-foreign"
    foreign.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(foreign, 12345, 12345)
    scratch.sweep()

    assert foreign.is_dir()


@pytest.mark.parametrize("agree", [False, True], ids=["locks are refused", "locks have no effect"])
def test_without_locks_nothing_is_taken_for_left(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, agree: bool
) -> None:
    def flock(*_: int) -> None:
        if not agree:
            raise OSError(95, "Operation not supported")

    monkeypatch.setattr(
        fcntl, "flock", flock
    )  # a file system without locks cannot be mounted everywhere
    with scratch.folder() as first, scratch.folder() as second:
        assert first.is_dir()
        assert second.is_dir()
    assert list(temporary.iterdir()) == []
