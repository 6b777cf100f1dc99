"""Run one program and let nothing of it live on. Started as `PYTHON -I -S …/supervisor.py PARENT PROGRAM [ARGUMENT …]`.

A process group can be left: by `setsid`, or by a daemon that forks twice. So on Linux this program
stands between envkit and what may do so. It is the "subreaper" of all that descends from it (`man 2
PR_SET_CHILD_SUBREAPER`): an orphan becomes its child, wherever it fled to, and is killed before
this program ends as PROGRAM did, with the same status or by the same signal. It ends everything too
when it gets SIGTERM, after a grace, and when PARENT, the number of the process that started it, is
gone.

Knows nothing of envkit, so that it starts in 20 ms.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
GRACE_SECONDS = 0.4  # for the program, between being asked to end and being killed
KILLING_SECONDS = 1.0  # for what multiplies faster than it is killed, or belongs to another user
WATCHED = {signal.SIGTERM, signal.SIGCHLD}
CANNOT_START = 126


def main(parent: int, argv: list[str]) -> None:
    """Run the program; never returns."""
    _control(PR_SET_CHILD_SUBREAPER, 1)
    _control(PR_SET_PDEATHSIG, signal.SIGTERM)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    if os.getppid() != parent:  # it died before it could be watched
        os._exit(1)
    program = os.fork()
    if program == 0:
        _become(argv, before)
    status = _wait(program)
    _kill_all()
    _end_as(status)


def _control(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _become(argv: list[str], mask: set[int | signal.Signals]) -> None:
    """Be the program, which must not outlive the supervisor."""
    _control(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # which Python ignores, and programs inherit that
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execv(argv[0], argv)  # there is no shell, as it must be
    finally:
        os._exit(CANNOT_START)


def _wait(program: int) -> int | None:
    """Give the program's wait status; None when it was to end and did not."""
    deadline = None
    while True:
        while (ended := _reap())[0]:
            if ended[0] == program:
                return ended[1]
        if deadline is not None and time.monotonic() >= deadline:
            return None
        if deadline is None:
            left = 3600.0
        else:
            left = deadline - time.monotonic()
        got = signal.sigtimedwait(WATCHED, max(left, 0.0))
        if deadline is None and got is not None and got.si_signo == signal.SIGTERM:
            deadline = time.monotonic() + GRACE_SECONDS
            os.killpg(0, signal.SIGTERM)  # this program too, which waits for its end already


def _reap() -> tuple[int, int]:
    """Collect one child that has ended; 0 when none has."""
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0, 0


def _kill_all() -> None:
    """Kill children until there are none: those of the killed become children in their turn."""
    deadline = time.monotonic() + KILLING_SECONDS
    while (children := _children()) and time.monotonic() < deadline:
        for each in children:
            _signal(each, signal.SIGKILL)
        while _reap()[0]:
            pass
        time.sleep(0.002)


def _children() -> list[int]:
    own = os.getpid()
    try:
        with open(
            f"/proc/self/task/{own}/children", encoding="ascii"
        ) as stream:  # pathlib takes 10 ms
            return [int(each) for each in stream.read().split()]
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return [
            int(each) for each in os.listdir("/proc") if each.isdigit() and _parent(each) == own
        ]


def _parent(process: str) -> int:
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as stream:
            return int(stream.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _signal(process: int, number: signal.Signals) -> None:
    try:
        os.kill(process, number)
    except OSError:  # it is gone, or another user's
        return


def _end_as(status: int | None) -> None:
    if status is None:
        os._exit(1)
    if os.WIFEXITED(status):
        os._exit(os.WEXITSTATUS(status))
    number = os.WTERMSIG(status)
    # one core file is enough
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    # not reached: the signal ends a process by default
    os._exit(128 + number)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
