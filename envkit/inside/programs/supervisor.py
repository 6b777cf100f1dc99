"""Run one program and leave no process of it behind.

    PYTHON -I -S …/supervisor.py PARENT PROGRAM [ARGUMENT …]

A process can leave its process group: by `setsid`, or as a daemon that forks twice. So on Linux
this program runs between envkit and PROGRAM. It is the "subreaper" of all its descendants (`man 2
PR_SET_CHILD_SUBREAPER`): an orphan becomes its child, whatever group it is in, and is killed before
this program ends as PROGRAM did, with the same status or by the same signal. It also ends
everything when it gets SIGTERM, after a grace period, and when PARENT, the number of the process
that started it, has ended.

It imports nothing of envkit, so that it starts in 20 ms.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
GRACE_SECONDS = 0.4  # for the program, between SIGTERM and SIGKILL
KILLING_SECONDS = (
    1.0  # in all: processes may fork faster than they are killed, or be another user's
)
WAIT_SECONDS = 3600.0  # for signals, without a deadline
WATCHED = {signal.SIGTERM, signal.SIGCHLD}
CANNOT_START = 126


def main(parent: int, argv: list[str]) -> None:
    """Run the program; never returns."""
    _control(PR_SET_CHILD_SUBREAPER, 1)
    _control(PR_SET_PDEATHSIG, signal.SIGTERM)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    if os.getppid() != parent:  # it ended before it could be watched
        os._exit(1)
    program = os.fork()
    if program == 0:
        _execute(argv, before)
    status = _wait(program)
    _kill_all()
    _end_as(status)


def _control(option: int, value: int) -> None:
    """Call `prctl`, which Python does not have."""
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _execute(argv: list[str], mask: set[int | signal.Signals]) -> None:
    """Become the program, which must not outlive the supervisor."""
    _control(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # Python ignores them, and programs inherit that
    try:
        os.execv(argv[0], argv)
    finally:
        os._exit(CANNOT_START)


def _wait(program: int) -> int | None:
    """Give the program's wait status; None when it has not ended after SIGTERM."""
    deadline = None
    while True:
        while True:
            ended, status = _reap()
            if ended == program:
                return status
            if not ended:
                break
        seconds = WAIT_SECONDS
        if deadline is not None:
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                return None
        received = signal.sigtimedwait(WATCHED, seconds)
        is_term = received is not None and received.si_signo == signal.SIGTERM
        if is_term and deadline is None:
            deadline = time.monotonic() + GRACE_SECONDS
            os.killpg(0, signal.SIGTERM)  # also to this program, which heeds only the first one


def _reap() -> tuple[int, int]:
    """Collect one child that has ended, as (number, wait status); the number is 0 when none has."""
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0, 0


def _kill_all() -> None:
    """Kill children until there are none: the children of a killed process become children, too."""
    deadline = time.monotonic() + KILLING_SECONDS
    while time.monotonic() < deadline:
        children = _children()
        if not children:
            return
        for process in children:
            _kill(process)
        while _reap()[0]:
            pass
        time.sleep(0.002)


def _children() -> list[int]:
    """List the numbers of the child processes."""
    own = os.getpid()
    try:
        # `open`, because importing pathlib takes 10 ms
        with open(f"/proc/self/task/{own}/children", encoding="ascii") as stream:
            return [int(process) for process in stream.read().split()]
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        processes = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return [process for process in processes if _parent(process) == own]


def _parent(process: int) -> int:
    """Give the number of a process' parent; 0 when it has ended."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as stream:
            return int(stream.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except OSError:  # it has ended, or is another user's
        return


def _end_as(status: int | None) -> None:
    """End as the program did."""
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
