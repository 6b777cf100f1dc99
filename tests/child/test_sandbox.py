"""What a confined model can do, tried for real: with bubblewrap where it works, and without it."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from envkit.child import hidden_paths, runner, sandbox
from envkit.child.journal import Journal
from envkit.child.sandbox import Confinement, Sandbox
from envkit.errors import InvalidArgument, ToolNotFound
from envkit.interpreters.describe import describe
from envkit.interpreters.visible_paths import visible_paths

PYTHON = Path(sys.executable)
LOADER = """
import json, os, pathlib, socket, subprocess, sys, tempfile


def tried(function):
    try:
        return function()
    except OSError as error:
        return type(error).__name__


class Model:
    def predict(self, data, params=None):
        {body}


def _load_pyfunc(path):
    return Model()
"""


def paths_of_interpreter() -> list[Path]:
    return [*visible_paths(describe(PYTHON, isolated=True), os.environ)]


NONE: Mapping[str, str] = {}


@pytest.fixture(scope="session")
def bubblewrap() -> Confinement:
    """Bubblewrap as it works here."""
    found = sandbox.confinement(Sandbox.AUTO)
    if found is None or found.program is None:
        pytest.skip(f"bubblewrap cannot be had: {found and found.why_not}")
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a secret in it, and with the model."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id").write_text("canary")
    monkeypatch.setenv("HOME", str(home))
    return home


class Run:
    """A model in the home; its predict function is given by the test."""

    def __init__(self, home: Path) -> None:
        self.model, self.out = home / "models" / "mine", home.parent / "out"
        (self.model / "code").mkdir(parents=True)
        self.out.mkdir()
        (self.model / "input.json").write_text('{"inputs": [1]}')

    def __call__(
        self,
        confinement: Confinement | None,
        body: str,
        *,
        timeout: float = 20.0,
        variables: Mapping[str, str] = NONE,
        readable: Sequence[Path] = (),
    ) -> Journal:
        (self.model / "code" / "loader.py").write_text(
            LOADER.replace("{body}", body.replace("\n", "\n        "))
        )
        return runner.run_inside(
            PYTHON,
            self.request(),
            environment={**os.environ, **variables},
            timeout=timeout,
            isolated=True,
            confinement=confinement,
            interpreter_paths=paths_of_interpreter(),
            readable=readable,
        )

    def request(self) -> Mapping[str, Any]:
        flavor = {"loader_module": "loader", "code": "code"}
        return {
            "job": "predict",
            "model": str(self.model),
            "python_function": flavor,
            "flavors": {},
            "signature": None,
            "example": None,
            "input": {"path": str(self.model / "input.json"), "content_type": "json"},
            "params": None,
            "output": str(self.out / "answer.json"),
            "memory_bytes": None,
        }

    def answer(self, confinement: Confinement | None, body: str, **variables: str) -> Any:
        journal = self(confinement, body, variables=variables)
        assert journal.done, journal
        return json.loads((self.out / "answer.json").read_text())["predictions"]


@pytest.fixture
def run(home: Path) -> Run:
    return Run(home)


@pytest.fixture
def server() -> Iterator[int]:
    """A server on this machine; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1]


def _accept(listening: socket.socket) -> None:
    while True:
        try:
            listening.accept()[0].close()
        except OSError:
            return


CONNECT = (
    "return tried(lambda: bool(socket.create_connection(('127.0.0.1', "
    "int(os.environ['PORT'])), 3)))"
)


def test_there_is_no_network_in_the_sandbox(run: Run, server: int, bubblewrap: Confinement) -> None:
    assert run.answer(None, CONNECT, PORT=str(server)) is True
    assert run.answer(bubblewrap, CONNECT, PORT=str(server)) == "ConnectionRefusedError"


def test_the_home_in_the_sandbox_is_private_and_vanishes(
    run: Run, home: Path, bubblewrap: Confinement
) -> None:
    body = """
home = pathlib.Path.home()
secret = tried(lambda: (home / ".ssh" / "id").read_text())
(home / "left-behind").write_text("x")
return [secret, sorted(os.listdir(home)), os.getcwd() == str(home)]
"""
    assert run.answer(bubblewrap, body) == ["FileNotFoundError", ["left-behind", "models"], True]
    assert sorted(each.name for each in home.iterdir()) == [".ssh", "models"]
    assert (
        run.answer(None, "return tried(lambda: pathlib.Path('~/.ssh/id').expanduser().read_text())")
        == "canary"
    )


def test_nothing_outside_can_be_written(run: Run, tmp_path: Path, bubblewrap: Confinement) -> None:
    body = f"""
places = [{str(run.model)!r}, "/", "/usr", os.path.dirname(sys.executable), "/etc"]
found = [tried(lambda: open(os.path.join(each, "left-behind"), "w")) for each in places]
tempfile.NamedTemporaryFile(delete=False).close()
open({str(tmp_path / "left-behind")!r}, "w").close()
return found
"""
    before = sorted(tmp_path.rglob("*"))

    assert run.answer(bubblewrap, body) == ["OSError"] * 5
    assert sorted(set(tmp_path.rglob("*")) - set(before)) == sorted(
        [run.model / "code" / "loader.py", run.out / "answer.json"]
    )


def test_the_kernels_settings_cannot_be_written(run: Run, bubblewrap: Confinement) -> None:
    body = "return tried(lambda: open('/proc/sys/kernel/core_pattern', 'r+b').close())"

    assert run.answer(bubblewrap, body) in ("OSError", "PermissionError")


def test_other_processes_are_not_seen_and_daemons_end(run: Run, bubblewrap: Confinement) -> None:
    body = """
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(61.25)"], start_new_session=True)
return len([each for each in os.listdir("/proc") if each.isdigit()]) < 6
"""
    assert run.answer(bubblewrap, body) is True
    assert not [each for each in Path("/proc").glob("[0-9]*/cmdline") if b"61.25" in _content(each)]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_what_models_are_made_with_works_in_the_sandbox(run: Run, bubblewrap: Confinement) -> None:
    body = """
from multiprocessing import get_context, shared_memory
with get_context("spawn").Pool(2) as pool:
    squares = pool.map(abs, [-1, -2])
memory = shared_memory.SharedMemory(create=True, size=1_000_000)
memory.close()
memory.unlink()
argv = [sys.executable, "-c", "import sys; print(sys.prefix)"]
child = subprocess.run(argv, stdout=subprocess.PIPE, text=True)
return [squares, child.stdout.strip() == sys.prefix]
"""
    assert run.answer(bubblewrap, body) == [[1, 2], True]


@pytest.mark.parametrize(
    ("body", "how"),
    [
        ("os._exit(0)", "ended with status 0"),
        ("os._exit(3)", "ended with status 3"),
        ("os.kill(os.getpid(), 11)", "was killed by SIGSEGV"),
        ("os.kill(os.getpid(), 9)", "was killed by SIGKILL"),
    ],
)
@pytest.mark.parametrize("confined", [False, True])
def test_how_a_model_died_is_told(
    run: Run, bubblewrap: Confinement, confined: bool, body: str, how: str
) -> None:
    journal = run(bubblewrap if confined else None, body)

    assert (journal.done, journal.ended.how) == (False, how)


def test_a_hang_in_the_sandbox_is_ended(run: Run, bubblewrap: Confinement) -> None:
    started = time.monotonic()

    assert run(bubblewrap, "import time\ntime.sleep(60)", timeout=1.0).ended.timed_out
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("confined", [False, True])
def test_memory_is_limited(run: Run, bubblewrap: Confinement, confined: bool) -> None:
    confinement = bubblewrap if confined else Confinement(program=None)
    limit = confinement.limits(timeout=None, memory_bytes=None)["AS"]
    journal = run(confinement, f"return len(bytearray({limit}))")

    assert journal.error is not None
    assert journal.error["type"] == "MemoryError"


def test_limits_alone_are_put_on_the_model_for_good(run: Run) -> None:
    body = """
import resource
names = "CORE", "CPU", "FSIZE", "NOFILE"
return {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1] for name in names}
"""
    found = run.answer(sandbox.confinement("limits"), body)
    assert found["CORE"] == 0
    assert found["CPU"] == 20 * (os.cpu_count() or 1) + 1
    assert found["FSIZE"] == sandbox.FILE_BYTES
    assert found["NOFILE"] <= sandbox.OPEN_FILES


def test_without_bubblewrap_the_limits_are_taken_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = sandbox.confinement(True)

    assert found is not None
    assert (found.kind, found.program) == ("limits", None)
    assert "resource limits only (bwrap, of the package bubblewrap, is not on the PATH)" in str(
        found
    )
    with pytest.raises(ToolNotFound, match="not on the PATH"):
        sandbox.confinement("bubblewrap")


def test_a_bubblewrap_that_does_not_work_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bwrap"
    program.write_text(
        "#!/bin/sh\necho 'bwrap: Creating new namespace failed: Operation not "
        "permitted' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    assert "does not work: Creating new namespace failed" in str(sandbox.confinement("auto"))
    with pytest.raises(ToolNotFound, match="Operation not permitted"):
        sandbox.confinement("bubblewrap")


def test_no_wish_is_no_sandbox_and_another_wish_is_refused() -> None:
    assert sandbox.confinement(None) is None
    assert sandbox.confinement(False) is None
    with pytest.raises(InvalidArgument, match="docker"):
        sandbox.confinement("docker")


def test_a_model_that_is_the_home_itself_is_refused(
    run: Run, home: Path, bubblewrap: Confinement
) -> None:
    run.model = home

    with pytest.raises(InvalidArgument, match="folder of its own"):
        runner.run_inside(
            PYTHON,
            run.request(),
            environment=os.environ,
            timeout=9,
            isolated=True,
            confinement=bubblewrap,
        )


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("URLError: <urlopen error [Errno -3] Temporary failure in name resolution>", "network"),
        ("OSError: [Errno 30] Read-only file system: '/srv/x'", "write"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/home/me/x'", "hides"),
    ],
)
def test_a_failure_that_the_sandbox_may_have_caused_says_so(said: str, word: str) -> None:
    assert word in Confinement(program=Path("bwrap")).hint(said)
    assert Confinement(program=None).hint(said) == ""
    assert Confinement(program=Path("bwrap")).hint("ValueError: no") == ""
    assert "--memory-limit" in Confinement(program=None).hint("MemoryError")


def test_links_that_lead_to_what_is_needed_are_laid_again(tmp_path: Path) -> None:
    home = (tmp_path / "home").resolve()
    (home / "pythons" / "3.11.7" / "bin").mkdir(parents=True)
    (home / "pythons" / "3.11").symlink_to("3.11.7")
    (home / "pythons" / "3.11.7" / "bin" / "python").touch()
    (home / "env" / "bin").mkdir(parents=True)
    (home / "env" / "bin" / "python").symlink_to(home / "pythons" / "3.11" / "bin" / "python")
    needed = [
        home / "env" / "bin" / "python",
        home / "env",
        home / "pythons" / "3.11.7",
        home / "none",
    ]

    view = hidden_paths.view({"HOME": str(home)}, needed)

    assert view.shown == (home / "env", home / "pythons" / "3.11.7")
    assert view.links == ((home / "pythons" / "3.11", "3.11.7"),)
    assert any(home.is_relative_to(each) for each in view.hidden)


def test_a_prefix_that_holds_more_than_an_interpreter_is_shown_in_part(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}

    assert hidden_paths.of_prefix(tmp_path / "env", home) == (tmp_path / "env",)
    for prefix in (tmp_path, tmp_path / ".local"):
        assert prefix / "lib" in hidden_paths.of_prefix(prefix, home)
        assert prefix not in hidden_paths.of_prefix(prefix, home)


def test_what_could_not_keep_its_bytecode_is_told(
    run: Run, tmp_path: Path, bubblewrap: Confinement
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "uncompiled.py").write_text("")
    body = f"sys.path.append({str(packages)!r})\nimport uncompiled\nreturn 1"
    (run.model / "code" / "helper.py").write_text("")
    journal = run(bubblewrap, body, readable=[run.model, packages])

    (event,) = journal.named("uncompiled")
    assert str(packages / "uncompiled.py") in event["paths"]
    assert not [each for each in event["paths"] if each.startswith(str(run.model))]
