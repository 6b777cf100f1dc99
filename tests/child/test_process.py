"""The process runner: whatever the program does, it ends in time and nothing of it remains."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from envkit.child import process

ENVIRONMENT = dict(os.environ)


def run_code(
    code: str, timeout: float | None = 10.0, inherit: tuple[int, ...] = ()
) -> process.Ended:
    return process.run(
        [sys.executable, "-c", code],
        environment=ENVIRONMENT,
        timeout=timeout,
        keep_output=True,
        inherit=inherit,
    )


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def soon(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


GRANDCHILD = """
import subprocess, sys
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
started = subprocess.Popen([sys.executable, "-c", code])
print(started.pid, flush=True)
"""


def test_both_outputs_are_kept_in_order() -> None:
    ended = run_code(
        "import sys; print('one', flush=True); print('two', file=sys.stderr, "
        "flush=True); print('three')"
    )

    assert ended.output.split() == ["one", "two", "three"]
    assert ended.succeeded


def test_nothing_is_on_standard_input() -> None:
    assert run_code("import sys; print(repr(sys.stdin.read()))").output == "''\n"


def test_the_environment_is_exactly_the_one_given() -> None:
    ended = process.run(
        [sys.executable, "-c", "import os; print(sorted(os.environ.keys() - {'LC_CTYPE'}))"],
        environment={"ONLY": "1"},
        keep_output=True,
    )

    assert ended.output == "['ONLY']\n"


def test_arguments_are_never_read_by_a_shell() -> None:
    nasty = "$(touch x); `id` 'a' \"b\" >c\n*"
    ended = process.run(
        [sys.executable, "-c", "import sys; print(repr(sys.argv[1]))", nasty],
        environment=ENVIRONMENT,
        keep_output=True,
    )

    assert ended.output == f"{nasty!r}\n"


def test_a_program_that_is_not_there_raises_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        process.run([tmp_path / "none"], environment=ENVIRONMENT)


@pytest.mark.parametrize(
    ("code", "status", "how"),
    [
        ("pass", 0, "ended with status 0"),
        ("raise SystemExit(3)", 3, "ended with status 3"),
        ("import os; os._exit(0)", 0, "ended with status 0"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -11, "was killed by SIGSEGV"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, "was killed by SIGKILL"),
        ("import os; os.kill(os.getpid(), 40)", -40, "was killed by signal 40"),
    ],
)
def test_how_it_ended_is_told_in_words(code: str, status: int, how: str) -> None:
    ended = run_code(code)

    assert (ended.status, ended.how, ended.succeeded) == (status, how, status == 0)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import time; time.sleep(60)", id="sleeps"),
        pytest.param("while True: pass", id="spins"),
        pytest.param(
            (
                "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                "while True: time.sleep(1)"
            ),
            id="ignores SIGTERM",
        ),
        pytest.param("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", id="stops itself"),
    ],
)
def test_a_hang_is_ended_within_two_seconds_of_its_time(code: str) -> None:
    started = time.monotonic()
    ended = run_code(code, timeout=0.5)

    assert time.monotonic() - started < 2.5
    assert ended.timed_out
    assert not ended.succeeded
    assert ended.how == "ran out of time"


def test_a_grandchild_that_keeps_the_output_open_is_killed_after_a_normal_end() -> None:
    started = time.monotonic()
    ended = run_code(GRANDCHILD)

    assert time.monotonic() - started < 2.5
    assert ended.succeeded
    assert soon(lambda: not is_running(int(ended.output)))


def test_a_grandchild_is_killed_when_the_time_is_up() -> None:
    ended = run_code(GRANDCHILD + "import time; time.sleep(60)", timeout=0.7)

    assert ended.timed_out
    assert soon(lambda: not is_running(int(ended.output)))


def test_five_megabytes_of_output_neither_block_nor_get_lost() -> None:
    ended = run_code(
        "import sys; sys.stdout.write('x' * 5_000_000); sys.stderr.write('y' * 5_000_000)"
    )

    assert (ended.output.count("x"), ended.output.count("y")) == (5_000_000, 5_000_000)


def test_output_that_is_no_utf8_is_replaced() -> None:
    assert run_code("import os; os.write(1, b'a\\xff\\n')").output == "a\N{REPLACEMENT CHARACTER}\n"


def test_without_keep_output_all_goes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    ended = process.run(
        [sys.executable, "-c", "import sys; print('out'); sys.stderr.write('err')"],
        environment=ENVIRONMENT,
    )

    captured = capfd.readouterr()
    assert (ended.output, captured.out) == ("", "")
    assert {"out", "err"} <= set(captured.err.replace("err", " err ").split())


def test_an_inherited_lock_is_held_as_long_as_the_program_runs(tmp_path: Path) -> None:
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    ended = run_code(f"import os; os.fstat({lock}); print('open')", inherit=(lock,))
    os.close(lock)

    assert ended.output == "open\n"


def test_no_other_descriptor_reaches_the_program(tmp_path: Path) -> None:
    other = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(other, True)
    ended = run_code(f"import os\ntry: os.fstat({other})\nexcept OSError: print('closed')")
    os.close(other)

    assert ended.output == "closed\n"


def test_it_works_with_more_than_a_thousand_open_files(tmp_path: Path) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1400:
        pytest.skip("this machine allows fewer open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1400), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        assert run_code("print(1)").output == "1\n"
    finally:
        for each in held:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("timeout", [1e9, float("inf")])
def test_a_very_long_time_is_no_error(timeout: float) -> None:
    assert run_code("pass", timeout=timeout).succeeded


@pytest.mark.parametrize("timeout", [0.0, -1.0])
def test_no_time_at_all_is_up_at_once(timeout: float) -> None:
    assert run_code("import time; time.sleep(60)", timeout=timeout).timed_out


def test_it_works_when_envkit_has_no_standard_error() -> None:
    code = "import os, sys; os.close(2)\nfrom envkit.child import process\n"
    code += (
        "ended = process.run([sys.executable, '-c', 'print(1)'], environment={})\n"
        "print(ended.status)"
    )
    root = str(Path(process.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**ENVIRONMENT, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
    )

    assert done.stdout == b"0\n"


INTERRUPTED = """
import os, sys
from pathlib import Path
from envkit.child import process
try:
    process.run([sys.executable, "-c", '''
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(os.environ["PIDFILE"] + ".new", "w").write(str(os.getpid()))
os.rename(os.environ["PIDFILE"] + ".new", os.environ["PIDFILE"])
time.sleep(60)
'''], environment=dict(os.environ))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("interrupts", [1, 2])
def test_an_interrupt_of_envkit_kills_the_group_even_when_it_comes_twice(
    tmp_path: Path, interrupts: int
) -> None:
    pid_file = tmp_path / "pid"
    root = str(Path(process.__file__).parents[2])
    outer = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        env={**ENVIRONMENT, "PIDFILE": str(pid_file), "PYTHONPATH": root},
    )
    assert soon(pid_file.exists)
    for _ in range(interrupts):
        outer.send_signal(signal.SIGINT)
        time.sleep(0.1)

    assert outer.wait(5) == 130
    assert soon(lambda: not is_running(int(pid_file.read_text())))


DAEMON = """
import os, pathlib, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        pathlib.Path("pid.new").write_text(str(os.getpid()))
        os.rename("pid.new", "pid")
        time.sleep(60)
    os._exit(0)
while not os.path.exists("pid"):
    time.sleep(0.01)
"""
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has subreapers")


def supervised(code: str, folder: Path, timeout: float | None = 10.0) -> process.Ended:
    return process.run(
        [sys.executable, "-c", code],
        environment=ENVIRONMENT,
        directory=folder,
        timeout=timeout,
        keep_output=True,
        supervised=True,
    )


@LINUX
@pytest.mark.parametrize(
    ("then", "timeout", "timed_out"),
    [
        pytest.param("", 10.0, False, id="a normal end"),
        pytest.param("os._exit(3)", 10.0, False, id="a sudden end"),
        pytest.param("time.sleep(60)", 0.7, True, id="its time is up"),
        pytest.param(
            "import signal; signal.signal(15, signal.SIG_IGN); time.sleep(60)",
            0.7,
            True,
            id="is deaf",
        ),
    ],
)
def test_a_daemon_does_not_outlive_a_supervised_program(
    tmp_path: Path, then: str, timeout: float, timed_out: bool
) -> None:
    started = time.monotonic()
    ended = supervised(DAEMON + then, tmp_path, timeout)

    assert ended.timed_out is timed_out
    assert time.monotonic() - started < timeout + 2
    assert not is_running(int((tmp_path / "pid").read_text()))


@LINUX
@pytest.mark.parametrize("status", [0, 3, -11, -9, -6, -15])
def test_a_supervised_program_ends_as_it_would_alone(tmp_path: Path, status: int) -> None:
    code = (
        f"import os; os.kill(os.getpid(), {-status})"
        if status < 0
        else f"raise SystemExit({status})"
    )

    assert supervised(code, tmp_path) == process.Ended(status=status, timed_out=False)


@LINUX
def test_nothing_of_a_supervised_program_outlives_envkit_itself(tmp_path: Path) -> None:
    root = str(Path(process.__file__).parents[2])
    program = "import sys\nfrom envkit.child import process\n"
    program += (
        f"process.run([sys.executable, '-c', {DAEMON + 'time.sleep(60)'!r}], "
        f"environment={{}}, supervised=True)"
    )
    outer = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, env={**ENVIRONMENT, "PYTHONPATH": root}
    )
    assert soon((tmp_path / "pid").exists)
    outer.kill()
    outer.wait()

    assert soon(lambda: not is_running(int((tmp_path / "pid").read_text())))


def test_lines_are_heard_while_the_program_runs_and_all_of_them(tmp_path: Path) -> None:
    heard: list[tuple[str, bool]] = []
    done = tmp_path / "done"
    script = f"echo first; sleep 0.5; printf 'sec'; echo ond; touch '{done}'; printf unended"
    ended = process.run(
        ["sh", "-c", script],
        environment=os.environ,
        keep_output=True,
        on_line=lambda line: heard.append((line, done.exists())),
    )

    assert heard[0] == ("first", False)
    assert [line for line, _ in heard] == ["first", "second"]
    assert ended.output == "first\nsecond\nunended"
