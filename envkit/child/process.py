"""Start a program, wait for it within limits, and leave nothing of it behind.

Every program that envkit starts goes through `run` or `start`. It gets a process group of its own,
and the whole group is killed when its time is up, when envkit is interrupted, and also after a
normal end, so that a grandchild can neither keep envkit waiting nor outlive it. A process that
leaves the group (`setsid`, a daemon) escapes, unless the program is `supervised`, as everything
that runs a model's code is. Output goes to files, never through a pipe that could fill up.
"""

from __future__ import annotations

import math
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from envkit.child.variables import Variables
from envkit.inside import programs

GRACE_SECONDS = 0.5  # between asking a group to end and killing it
SUPERVISED_GRACE_SECONDS = 1.6  # the supervisor gives a shorter one, then kills
SUPERVISOR = Path(programs.__file__).resolve().with_name("supervisor.py")
_LISTEN_SECONDS = 0.1
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
    environment: Variables,
    directory: Path | None = None,
    timeout: float | None = None,
    keep_output: bool = False,
    inherit: Sequence[int] = (),
    supervised: bool = False,
    on_line: Callable[[str], None] | None = None,
    stdin: str = "",
) -> Ended:
    """Run a program to its end, without a shell, with the text `stdin` on its standard input.

    `environment` is its whole environment and `directory` its working directory (default:
    envkit's). After `timeout` seconds its process group is ended. With `keep_output` what it prints
    is returned; otherwise both of its outputs go to envkit's standard error, so that they cannot
    mix with results. `inherit` are file descriptors that it, and what it starts, keep open: a lock
    is held that long. `supervised`: also what left the process group is killed, and all of it when
    envkit itself is killed (Linux). `on_line` gets each line of kept output while the program
    runs, some tenths of a second late.

    Raises `OSError` when the program cannot be started; a supervised one then ends with status 126.
    """
    before = _supervision() if supervised else []
    with _sink(keep_output) as sink, _source(stdin) as source:
        process = subprocess.Popen(
            [*before, *(os.fspath(part) for part in argv)],
            env=dict(environment),
            cwd=directory,
            stdin=source,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(inherit),
        )
        timed_out = True
        try:
            if on_line is None:
                timed_out = not _ends_within(process, timeout)
            else:
                timed_out = not _ends_listening(process, timeout, sink, on_line)
        finally:
            _end_group(process, running=timed_out, supervised=bool(before))
        output = _read(sink) if keep_output else ""
        return Ended(status=process.returncode, timed_out=timed_out, output=output)


class Running:
    """A program that runs until it ends, or is ended."""

    def __init__(self, process: subprocess.Popen[bytes], *, supervised: bool) -> None:
        self._process, self._supervised = process, supervised

    def end(self, patience: float = 0.0) -> Ended:
        """End it, with all that it started, and return how it ended; may be called again.

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
    argv: Sequence[str | Path], *, environment: Variables, inherit: Sequence[int] = ()
) -> Running:
    """Start a program as `run` does, supervised, and let it run.

    On Linux it ends at the latest with the thread that calls this. Raises `OSError` when it cannot
    be started.
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
    except OSError:
        # envkit itself was started without a standard error
        return Path(os.devnull).open("wb")


@contextmanager
def _source(text: str) -> Iterator[int | IO[bytes]]:
    """Give what a program reads: a file, so that one that does not read cannot block envkit."""
    if not text:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile(prefix="envkit-") as file:
        file.write(text.encode())
        file.seek(0)
        yield file


def _read(sink: IO[bytes]) -> str:
    sink.seek(0)
    return sink.read().decode("utf-8", errors="replace")


def _ends_listening(
    process: subprocess.Popen[bytes],
    timeout: float | None,
    sink: IO[bytes],
    on_line: Callable[[str], None],
) -> bool:
    """Wait as `_ends_within` does, and hand on the lines that come meanwhile."""
    ends = math.inf if timeout is None else time.monotonic() + timeout
    place = 0
    while True:
        left = min(_LISTEN_SECONDS, ends - time.monotonic())
        ended = _ends_within(process, left)
        # unlike `read`, this does not move the place where the program writes
        content = os.pread(sink.fileno(), 1 << 20, place)
        lines, newline, _ = content.rpartition(b"\n")
        for line in lines.splitlines():
            on_line(line.decode("utf-8", errors="replace"))
        place += len(lines) + len(newline)
        if ended or time.monotonic() >= ends:
            return ended


def _ends_within(process: subprocess.Popen[bytes], timeout: float | None) -> bool:
    """Wait, where the system can without reaping.

    So the group's number cannot be reused before `_end_group`.
    """
    if not hasattr(os, "pidfd_open"):
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True
    milliseconds = None
    if timeout is not None:
        milliseconds = min(max(timeout, 0.0), _LONGEST_SECONDS) * 1000
    descriptor = os.pidfd_open(process.pid)
    try:
        # not `select`, which fails on descriptors over 1023
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(milliseconds))
    finally:
        os.close(descriptor)


def _supervision() -> list[str]:
    """Return the words that stand before those of a supervised program; none off Linux."""
    if not sys.platform.startswith("linux") or not sys.executable:
        return []
    return [sys.executable, "-I", "-S", str(SUPERVISOR), str(os.getpid())]


def _end_group(process: subprocess.Popen[bytes], *, running: bool, supervised: bool) -> None:
    """Ask a running program to end, then kill whatever is left in its group."""
    try:
        if running and supervised:
            # the supervisor asks its group
            process.terminate()
            _wait_twice(process, SUPERVISED_GRACE_SECONDS)
        elif running:
            _signal_group(process.pid, signal.SIGTERM)
            _wait_twice(process, GRACE_SECONDS)
    finally:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


def _wait_twice(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait for the end. A second Ctrl-C does not keep a supervisor from its work; a third does."""
    try:
        _ends_within(process, seconds)
    except KeyboardInterrupt:
        _ends_within(process, seconds)
        raise


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
