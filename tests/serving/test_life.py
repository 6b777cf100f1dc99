"""A server's beginning and end, and what wears it down in between."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import envkit
from envkit.errors import InvalidArgument, PredictionFailed, ToolNotFound
from envkit.serving import connection, request
from envkit.serving import serve as serving
from tests.serving.conftest import Make, ask

PROGRAM = [sys.executable, "-m", "envkit", "serve", "--env-manager", "local", "--port", "0"]


@contextmanager
def program(
    model: Path, *words: str, ready: bool = True
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `envkit serve`; gives the process, whose output is kept, and the URL."""
    argv = [*PROGRAM, *words, str(model)]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            url = re.search(r"http://\S+", process.stderr.readline()) if ready else None
            yield process, url[0] if url else ""
        finally:
            process.kill()


def is_gone(pid: int) -> bool:
    """Whether a process is no more; it may take a moment."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGTERM, 0),
        pytest.param(signal.SIGHUP, 0, marks=pytest.mark.slow),
        (signal.SIGINT, 130),
    ],
)
def test_requests_at_work_finish_before_the_end(
    whims: Path, number: signal.Signals, status: int
) -> None:
    with program(whims) as (process, url), ThreadPoolExecutor() as threads:
        pid = ask(url, "pid").json()["predictions"]
        asked = [threads.submit(ask, url, "sleep", 0.4) for _ in range(3)]
        time.sleep(0.3)
        process.send_signal(number)

        assert [each.result().json() for each in asked] == [{"predictions": "sleep"}] * 3
        assert process.wait(10) == status
        assert is_gone(pid)


def test_a_second_signal_ends_all_at_once(whims: Path) -> None:
    with program(whims) as (process, url), ThreadPoolExecutor() as threads:
        pid = ask(url, "pid").json()["predictions"]
        asked = threads.submit(ask, url, "sleep", 60)
        time.sleep(0.3)
        started = time.monotonic()
        process.terminate()
        time.sleep(0.3)
        process.terminate()

        assert process.wait(10) == 143
        assert time.monotonic() - started < 4
        assert is_gone(pid)
        assert asked.exception() is not None


def test_a_server_ends_also_when_nobody_reads_what_it_says(whims: Path) -> None:
    with program(whims) as (process, url):
        pid = ask(url, "pid").json()["predictions"]
        assert process.stderr is not None
        process.stderr.close()
        assert ask(url, "raise").status_code == 500
        process.terminate()

        assert process.wait(15) == 0
        assert is_gone(pid)


def test_workers_end_with_a_server_that_is_killed(whims: Path) -> None:
    with program(whims) as (process, url):
        pid = ask(url, "pid").json()["predictions"]
        process.kill()

        assert is_gone(pid)


def test_a_model_that_cannot_be_loaded_ends_the_server_with_its_traceback(make_model: Make) -> None:
    model = make_model("def _load_pyfunc(path):\n    raise OSError('no such weights')\n")
    with program(model, ready=False) as (process, _):
        _, said = process.communicate(timeout=30)

    assert process.returncode == 6
    assert "in _load_pyfunc" in said
    assert "The model failed while loading: OSError: no such weights" in said


def test_a_port_that_is_taken_is_told(whims: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            InvalidArgument, match=rf"Port {port} of 127\.0\.0\.1 cannot be taken: .*in use.*--port"
        ):
            envkit.serve(whims, port=port, env_manager="local")


def test_a_host_that_is_none_is_told(whims: Path) -> None:
    with pytest.raises(InvalidArgument, match="no-such-host"):
        envkit.serve(whims, "no-such-host.invalid", env_manager="local")


def test_what_serving_needs_is_named(whims: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "envkit.serving.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    with pytest.raises(ToolNotFound, match=r"pip install 'envkit\[serve\]'"):
        envkit.serve(whims)


def test_a_server_is_ready_when_its_model_is_loaded(make_model: Make, tmp_path: Path) -> None:
    go = tmp_path / "go"
    model = make_model(
        f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
        "class M:\n    def predict(self, data):\n        return 1\ndef _load_pyfunc(path):\n    return M()\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with program(model, "--port", str(port), ready=False) as (process, _):
        url = f"http://127.0.0.1:{port}"
        before = reached(lambda: httpx.get(f"{url}/ping"))
        early = ask(url, 1)
        go.touch()
        assert process.stderr is not None
        process.stderr.readline()
        after = httpx.get(f"{url}/ping")

    assert (before.status_code, after.status_code) == (503, 200)
    assert (early.status_code, early.headers["Retry-After"]) == (503, "1")


def reached(get: Callable[[], httpx.Response]) -> httpx.Response:
    deadline = time.monotonic() + 20
    while True:
        try:
            return get()
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_worker_that_dies_again_and_again_is_given_up(
    make_model: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envkit.serving.pool.LONGEST_PAUSE", 0.01)
    model = make_model(
        "import os, sys, threading\nsys.modules['numpy'] = None\ndef _load_pyfunc(path):\n"
        "    threading.Timer(0.5, os._exit, [9]).start()\n    return type('M', (), {'predict': print})()\n"
    )
    server = envkit.serve(model, port=0, env_manager="local", synchronous=False)

    with pytest.raises(PredictionFailed, match="5 times in a row"):
        server.wait()
    assert "A worker's process ended with status 9. It is started anew." in caplog.text


def test_too_many_requests_are_told_to_come_later(serve: Callable[..., str], whims: Path) -> None:
    url = serve(whims, queue=1)
    ask(url, "x")
    with ThreadPoolExecutor() as threads:
        answers = [
            each.result() for each in [threads.submit(ask, url, "sleep", 0.5) for _ in range(5)]
        ]

    assert sorted(each.status_code for each in answers) == [200, 200, 503, 503, 503]
    assert {each.headers.get("Retry-After") for each in answers if each.status_code == 503} == {"1"}


def test_nobody_is_predicted_for_who_has_gone_while_waiting(
    serve: Callable[..., str], whims: Path
) -> None:
    url = serve(whims)
    ask(url, "x")
    with ThreadPoolExecutor() as threads:
        first = threads.submit(ask, url, "sleep", 1)
        time.sleep(0.3)
        for _ in range(3):
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(
                    f"{url}/invocations",
                    json={"inputs": ["sleep", "20"]},
                    timeout=0.1,
                    verify=False,
                )

        assert ask(url, "x").json() == {"predictions": "x"}
        assert first.result().status_code == 200
    assert (
        'envkit_requests_total{status="499"} 3.0' in httpx.get(f"{url}/metrics", verify=False).text
    )


def test_two_workers_answer_two_at_once(serve: Callable[..., str], whims: Path) -> None:
    url = serve(whims, workers=2)
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda _: ask(url, "sleep", 0.05), range(2)))  # each imports what it needs
        started = time.monotonic()
        answers = list(threads.map(lambda _: ask(url, "sleep", 1), range(2)))

    assert [each.status_code for each in answers] == [200, 200]
    assert time.monotonic() - started < 1.9


HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SLOW = {
    "nothing": b"",
    "part of the headers": b"GET /ping HTTP/1.1\r\nHost:",
    "part of the body": HEAD + b"Content-Length: 1000\r\n\r\n{",
    "no end of the chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
}


def closed_after(url: str, said: bytes, seconds: float) -> float:
    """Send something, then a byte now and again, until the server closes the connection; gives the time."""
    started = time.monotonic()
    with socket.create_connection((httpx.URL(url).host, httpx.URL(url).port or 0)) as client:
        client.sendall(said)
        client.settimeout(0.1)
        while time.monotonic() - started < seconds:
            try:
                while client.recv(10_000):
                    pass
                break
            except TimeoutError:
                with_a_byte = said and not said.endswith(b"\r\n")
                client.sendall(b"x" if with_a_byte else b"")
            except OSError:
                break
    return time.monotonic() - started


def assert_slow_clients_are_closed(url: str, limit: float) -> None:
    with ThreadPoolExecutor() as threads:
        times = threads.map(lambda said: closed_after(url, said, 2 * limit), SLOW.values())
        while threads._work_queue.qsize():
            time.sleep(0.01)
        assert httpx.get(f"{url}/ping", timeout=1).status_code == 200
        for name, taken in zip(SLOW, times, strict=True):
            assert taken < limit, name


def test_slow_clients_are_closed_while_others_are_answered(
    serve: Callable[..., str], whims: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.5)
    monkeypatch.setattr(request, "STEP_SECONDS", 0.5)

    assert_slow_clients_are_closed(serve(whims), 3.0)


@pytest.mark.slow
def test_slow_clients_are_closed_within_15_seconds(serve: Callable[..., str], whims: Path) -> None:
    assert_slow_clients_are_closed(serve(whims), 15.0)


REST = [("1", True), ("150", False)]


def memory(pid: int) -> int:
    """Bytes that a process has at most had in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


@pytest.mark.parametrize(
    ("limit", "chunked"),
    [("1", False), ("150", True), *(pytest.param(*each, marks=pytest.mark.slow) for each in REST)],
)
def test_a_body_over_the_limit_is_refused_and_costs_no_memory(
    whims: Path, limit: str, chunked: bool
) -> None:
    def body() -> Iterator[bytes]:
        yield b'{"inputs": ["'
        for _ in range(200):
            yield b"x" * 1_000_000

    headers = {"Content-Type": "application/json"} | (
        {} if chunked else {"Content-Length": "200000013"}
    )
    with program(whims, "--max-body", limit) as (process, url):
        ask(url, "x")
        before = memory(process.pid)
        answer = httpx.post(
            f"{url}/invocations", content=body(), headers=headers, timeout=60, verify=False
        )

        assert (answer.status_code, answer.json()["error_code"]) == (413, "REQUEST_TOO_LARGE")
        assert memory(process.pid) - before < 50_000_000
        assert ask(url, "x").status_code == 200


def test_a_sandboxed_model_is_served(serve: Callable[..., str], whims: Path) -> None:
    lines: list[str] = []
    url = serve(whims, sandbox=True, report=lines.append)

    assert any(line.startswith("Sandbox:") for line in lines)
    assert ask(url, "x").json() == {"predictions": "x"}
    if "bubblewrap" in lines[0]:
        assert ask(url, "home").json() == {"predictions": []}
    assert ask(url, "die").status_code == 502
    assert ask(url, "x").json() == {"predictions": "x"}


@pytest.mark.e2e
def test_an_environment_that_serves_is_not_pruned(whims: Path) -> None:
    from envkit.environments.store import housekeeping

    with envkit.serve(whims, port=0, synchronous=False) as server:
        ask(server.url, "x")
        kept = [each.path for each in housekeeping.environments()]
        housekeeping.prune(everything=True)

        assert [each.path for each in housekeeping.environments()] == kept
        assert ask(server.url, "die").status_code == 502
        assert ask(server.url, "x").json() == {"predictions": "x"}


def test_a_server_of_python_ends_with_its_block(whims: Path) -> None:
    with envkit.serve(whims, port=0, env_manager="local", synchronous=False) as server:
        pid = ask(server.url, "pid").json()["predictions"]

    assert is_gone(pid)
    with pytest.raises(httpx.ConnectError):
        ask(server.url, "pid")
    assert not [each for each in threading.enumerate() if each.name == "envkit-serving"]


def test_a_notebook_is_told_to_serve_in_a_thread(whims: Path) -> None:
    async def serve() -> None:
        envkit.serve(whims)

    with pytest.raises(InvalidArgument, match="synchronous=False"):
        asyncio.run(serve())


def test_the_contract_of_sagemakers_containers_holds(
    whims: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "CONTAINER_MODEL", whims)

    assert serving.address(None, None, None) == (str(whims), "0.0.0.0", 8080)
    assert serving.address(None, None, 8081) == (str(whims), "0.0.0.0", 8081)
    assert serving.address("other", None, None) == ("other", "127.0.0.1", 5000)


def test_a_model_must_be_named_outside_of_such_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "CONTAINER_MODEL", tmp_path / "none")

    with pytest.raises(InvalidArgument, match="MODEL"):
        serving.address(None, None, None)
