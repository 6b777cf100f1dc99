"""Start a program, wait for it within limits, and leave nothing of it behind.

Every program that envkit starts goes through `run`. It gets a process group of its own, and the
whole group is killed when its time is up, when envkit is interrupted, and also after a normal end,
so that a grandchild can neither keep envkit waiting nor outlive it. One that left the group
(`setsid`, a daemon) escapes, unless the program is `supervised`, as everything that runs a model's
code is. Output goes to files, never through a pipe that could fill up.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from envkit.inside import programs

GRACE_SECONDS = 0.5  # between asking a group to end and killing it
SUPERVISED_GRACE_SECONDS = 1.6  # the supervisor gives a shorter one, then kills
SUPERVISOR = Path(programs.__file__).resolve().with_name("supervisor.py")
_LISTENING_SECONDS = 0.1
_LONGEST_SECONDS = 2_000_000.0  # what a C int of milliseconds holds: 23 days


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a program ended.

    `status` is as in `subprocess.Popen.returncode`: an exit status, or the negative number of a
    signal. `output` is what it wrote to standard output and standard error, in order, when `run`
    was to keep it.
    """

    status: int
    timed_out: bool
    output: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether it ended by itself with status 0."""
        return self.status == 0 and not self.timed_out

    @property
    def how(self) -> str:
        """The end in words, to follow "the process …"."""
        if self.timed_out:
            return "ran out of time"
        if self.status < 0:
            with suppress(ValueError):
                return f"was killed by {signal.Signals(-self.status).name}"
            return f"was killed by signal {-self.status}"
        return f"ended with status {self.status}"


def run(
    argv: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    directory: Path | None = None,
    timeout: float | None = None,
    keep_output: bool = False,
    inherit: Sequence[int] = (),
    supervised: bool = False,
    heard: Callable[[str], None] | None = None,
) -> Ended:
    """Run a program to its end, without a shell, with nothing on its standard input.

    `environment` is its whole environment and `directory` its working directory (default:
    envkit's). After `timeout` seconds its process group is ended. With `keep_output` what it prints
    is returned; otherwise both of its outputs go to envkit's standard error, so that they cannot
    mix with results. `inherit` are file descriptors that it, and what it starts, keep open: a lock
    is held that long. `supervised`: also what left the process group is killed, and all of it when
    envkit itself is killed (Linux). `heard` is given each line of kept output while the program
    runs, some tenths of a second late.

    Raises `OSError` when the program cannot be started; a supervised one then ends with status 126.
    """
    before = _supervision() if supervised else []
    with _sink(keep_output) as sink:
        process = subprocess.Popen(
            [*before, *(os.fspath(part) for part in argv)],
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(inherit),
        )
        timed_out = True
        try:
            timed_out = not _heard_out(process, timeout, sink, heard)
        finally:
            _end_group(process, running=timed_out, supervised=bool(before))
        return Ended(
            status=process.returncode,
            timed_out=timed_out,
            output=_read(sink) if keep_output else "",
        )


class Running:
    """A program that goes on beside envkit until it ends, or is ended."""

    def __init__(self, process: subprocess.Popen[bytes], *, supervised: bool) -> None:
        self._process, self._supervised = process, supervised

    def end(self, patience: float = 0.0) -> Ended:
        """Have it end, with all that it started, and say how it ended; may be asked again.

        It has `patience` seconds to end by itself, then `timed_out` is true.
        """
        if self._process.returncode is not None:
            return Ended(status=self._process.wait(), timed_out=False)
        by_itself = False
        try:
            by_itself = _ends_within(self._process, patience)
        finally:
            _end_group(self._process, running=not by_itself, supervised=self._supervised)
        return Ended(status=self._process.wait(), timed_out=not by_itself)


def start(
    argv: Sequence[str | Path], *, environment: Mapping[str, str], inherit: Sequence[int] = ()
) -> Running:
    """Start a program as `run` does, supervised, and let it run; it ends at the latest with this thread (Linux).

    Raises `OSError` when it cannot be started.
    """
    before = _supervision()
    with _sink(keep_output=False) as sink:
        process = subprocess.Popen(
            [*before, *(os.fspath(part) for part in argv)],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(inherit),
        )
    return Running(process, supervised=bool(before))


def _sink(keep_output: bool) -> IO[bytes]:
    if keep_output:
        return tempfile.TemporaryFile(prefix="envkit-")
    try:
        return os.fdopen(os.dup(2), "wb")
    except OSError:  # envkit itself was started without a standard error
        return Path(os.devnull).open("wb")


def _read(sink: IO[bytes]) -> str:
    sink.seek(0)
    return sink.read().decode("utf-8", errors="replace")


def _heard_out(
    process: subprocess.Popen[bytes],
    timeout: float | None,
    sink: IO[bytes],
    heard: Callable[[str], None] | None,
) -> bool:
    """Wait as `_ends_within` does, and hand on the lines that come meanwhile."""
    if heard is None:
        return _ends_within(process, timeout)
    ends = None if timeout is None else time.monotonic() + timeout
    place = 0
    while True:
        if ends is None:
            left = _LISTENING_SECONDS
        else:
            left = min(_LISTENING_SECONDS, ends - time.monotonic())
        ended = _ends_within(process, left)
        content = os.pread(sink.fileno(), 1 << 20, place)  # where the program writes is not moved
        whole, _, _ = content.rpartition(b"\n")
        for line in whole.splitlines():
            heard(line.decode("utf-8", errors="replace"))
        place += len(whole) + 1 if whole else 0
        if ended or (ends is not None and time.monotonic() >= ends):
            return ended


def _ends_within(process: subprocess.Popen[bytes], timeout: float | None) -> bool:
    """Wait, where the system can without reaping: so the group's number cannot be reused before `_end_group`."""
    if hasattr(os, "pidfd_open"):
        descriptor = os.pidfd_open(process.pid)
        try:
            poll = select.poll()  # not `select`, which fails on descriptors over 1023
            poll.register(descriptor, select.POLLIN)
            return bool(
                poll.poll(
                    None if timeout is None else min(max(timeout, 0.0), _LONGEST_SECONDS) * 1000
                )
            )
        finally:
            os.close(descriptor)
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        return False
    return True


def _supervision() -> list[str]:
    """What to put before a program's words; nothing where it cannot be had."""
    if not sys.platform.startswith("linux") or not sys.executable:
        return []
    return [sys.executable, "-I", "-S", str(SUPERVISOR), str(os.getpid())]


def _end_group(process: subprocess.Popen[bytes], *, running: bool, supervised: bool) -> None:
    """Ask a running program to end, then kill whatever is left in its group."""
    grace = SUPERVISED_GRACE_SECONDS if supervised else GRACE_SECONDS
    try:
        if running:
            if supervised:  # it asks its group
                process.terminate()
            else:
                _signal_group(process.pid, signal.SIGTERM)
            try:
                _ends_within(process, grace)
            except (
                KeyboardInterrupt
            ):  # a second one does not keep a supervisor from its work; a third does
                _ends_within(process, grace)
                raise
    finally:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
