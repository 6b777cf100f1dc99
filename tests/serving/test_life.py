"""A server starts, stops, and survives slow clients and failing workers."""

from __future__ import annotations

import asyncio
import re
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

import envkit
from envkit.environments.workers import Workplace
from envkit.errors import AddressUnavailable, InvalidArgument, PredictionFailed, ToolNotFound
from envkit.serving import container, http_protocol, prediction_request
from tests.builders.obedient_model import Serve, ask
from tests.builders.serve_program import program


def is_gone(pid: int) -> bool:
    """Whether a process has ended; that may take a moment."""
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
def test_a_signal_lets_requests_at_work_finish(
    obedient: Path, number: signal.Signals, status: int
) -> None:
    with program(obedient) as (process, url), ThreadPoolExecutor() as threads:
        pid = ask(url, "pid").json()["predictions"]
        asked = [threads.submit(ask, url, "sleep", 0.4) for _ in range(3)]
        time.sleep(0.3)
        process.send_signal(number)

        assert [each.result().json() for each in asked] == [{"predictions": "sleep"}] * 3
        assert process.wait(10) == status
        assert is_gone(pid)


def test_a_second_signal_stops_the_server_at_once(obedient: Path) -> None:
    with program(obedient) as (process, url), ThreadPoolExecutor() as threads:
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


def test_a_server_stops_even_when_its_output_has_no_reader(obedient: Path) -> None:
    with program(obedient) as (process, url):
        pid = ask(url, "pid").json()["predictions"]
        assert process.stderr is not None
        process.stderr.close()
        assert ask(url, "raise").status_code == 500
        process.terminate()

        assert process.wait(15) == 0
        assert is_gone(pid)


def test_workers_end_when_the_server_is_killed(obedient: Path) -> None:
    with program(obedient) as (process, url):
        pid = ask(url, "pid").json()["predictions"]
        process.kill()

        assert is_gone(pid)


def test_a_model_that_cannot_be_loaded_stops_the_server_with_its_traceback(
    make_model: Callable[..., Path],
) -> None:
    model = make_model("def _load_pyfunc(path):\n    raise OSError('no such weights')\n")
    with program(model, ready=False) as (process, _):
        _, said = process.communicate(timeout=30)

    assert process.returncode == 6
    assert "in _load_pyfunc" in said
    assert "The model failed while loading: OSError: no such weights" in said


def test_a_port_in_use_is_reported(obedient: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            AddressUnavailable,
            match=rf"Cannot listen on port {port} of 127\.0\.0\.1: .*in use.*--port",
        ):
            envkit.serve(obedient, port=port, env_manager="local")


def test_a_port_in_use_has_the_exit_code_of_what_a_machine_lacks(obedient: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with program(obedient, "--port", str(port), ready=False) as (process, _):
            assert process.wait(20) == 7


def test_a_worker_that_cannot_be_prepared_is_tried_again_and_then_given_up(
    obedient: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(_: object) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("envkit.serving.worker_pool.MAX_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("envkit.environments.workers.Workplace.prepare", prepare)

    with pytest.raises(PredictionFailed, match=r"while starting: .*temporary directory"):
        envkit.serve(obedient, port=0, env_manager="local", synchronous=False)
    assert caplog.text.count("A worker cannot be started") == 5


def test_a_worker_that_can_be_prepared_later_serves(
    obedient: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = Workplace.prepare
    failures = iter([OSError(28, "No space left on device")] * 3)

    def prepare_later(workplace: Workplace) -> object:
        for error in failures:
            raise error
        return prepare(workplace)

    monkeypatch.setattr("envkit.serving.worker_pool.MAX_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(Workplace, "prepare", prepare_later)

    assert ask(serve(obedient), "x").json() == {"predictions": "x"}


def test_a_fault_of_the_server_itself_ends_it(
    obedient: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(_: object) -> None:
        raise KeyError("event")

    monkeypatch.setattr(Workplace, "prepare", prepare)

    with pytest.raises(PredictionFailed, match="KeyError"):
        envkit.serve(obedient, port=0, env_manager="local", synchronous=False)


def test_a_body_is_received_only_when_its_request_has_a_place(serve: Serve, obedient: Path) -> None:
    url = httpx.URL(serve(obedient, queue=2))
    head = (
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 5000000\r\n\r\n"
    )
    with ExitStack() as clients:
        sockets = []
        for _ in range(20):
            client = clients.enter_context(socket.create_connection((url.host, url.port or 0)))
            client.sendall(head + b"x" * 1000)
            sockets.append(client)
        time.sleep(0.5)
        answered = select.select(sockets, [], [], 0)[0]

        # One for the worker and two that may wait are still being received.
        assert len(answered) == 17
        assert all(b" 503 " in client.recv(100) for client in answered)


def test_all_bodies_together_are_limited(
    serve: Serve, obedient: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_request, "BODIES_AT_ONCE", 2)
    url = serve(obedient, max_body=100_000)
    text = "x" * 60_000
    with ThreadPoolExecutor() as threads:
        asked = [threads.submit(ask, url, "sleep", 0.7, text) for _ in range(5)]
        statuses = sorted(each.result().status_code for each in asked)

    assert statuses == [200, 200, 200, 503, 503]
    assert [ask(url, "x", text).status_code for _ in range(5)] == [200] * 5


def test_an_unknown_host_is_reported(obedient: Path) -> None:
    with pytest.raises(InvalidArgument, match="no-such-host"):
        envkit.serve(obedient, "no-such-host.invalid", env_manager="local")


def test_a_missing_library_is_named_with_the_extra(
    obedient: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "envkit.serving.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    with pytest.raises(ToolNotFound, match=r"pip install 'envkit\[serve\]'"):
        envkit.serve(obedient)


def test_a_server_is_ready_when_its_model_is_loaded(
    make_model: Callable[..., Path], tmp_path: Path
) -> None:
    go = tmp_path / "go"
    model = make_model(
        f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
        "class M:\n    def predict(self, data):\n        return 1\ndef _load_pyfunc(path):\n    "
        "return M()\n"
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


def test_a_worker_that_always_dies_is_not_restarted_for_ever(
    make_model: Callable[..., Path],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("envkit.serving.worker_pool.MAX_PAUSE_SECONDS", 0.01)
    model = make_model(
        "import os, sys, threading\nsys.modules['numpy'] = None\ndef _load_pyfunc(path):\n"
        "    threading.Timer(0.5, os._exit, [9]).start()\n    return type('M', (), {'predict': "
        "print})()\n"
    )
    server = envkit.serve(model, port=0, env_manager="local", synchronous=False)

    with pytest.raises(PredictionFailed, match="5 times in a row"):
        server.wait()
    assert "A worker's process ended with status 9. It is restarted." in caplog.text


def test_requests_beyond_the_queue_get_a_503_with_retry_after(serve: Serve, obedient: Path) -> None:
    url = serve(obedient, queue=1)
    ask(url, "x")
    with ThreadPoolExecutor() as threads:
        answers = [
            each.result() for each in [threads.submit(ask, url, "sleep", 0.5) for _ in range(5)]
        ]

    assert sorted(each.status_code for each in answers) == [200, 200, 503, 503, 503]
    assert {each.headers.get("Retry-After") for each in answers if each.status_code == 503} == {"1"}


def test_a_client_that_leaves_the_queue_costs_no_prediction(serve: Serve, obedient: Path) -> None:
    url = serve(obedient)
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


def test_two_workers_answer_two_requests_at_once(serve: Serve, obedient: Path) -> None:
    url = serve(obedient, workers=2)
    with ThreadPoolExecutor() as threads:
        list(
            threads.map(lambda _: ask(url, "sleep", 0.05), range(2))
        )  # each worker imports its libraries
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


def closed_after(url: str, sent: bytes, seconds: float) -> float:
    """Send bytes until the server closes the connection; gives the seconds that this took."""
    started = time.monotonic()
    with socket.create_connection((httpx.URL(url).host, httpx.URL(url).port or 0)) as client:
        client.sendall(sent)
        client.settimeout(0.1)
        while time.monotonic() - started < seconds:
            try:
                while client.recv(10_000):
                    pass
                break
            except TimeoutError:
                with_a_byte = sent and not sent.endswith(b"\r\n")
                client.sendall(b"x" if with_a_byte else b"")
            except OSError:
                break
    return time.monotonic() - started


def assert_slow_clients_are_closed(url: str, limit: float) -> None:
    with ThreadPoolExecutor() as threads:
        times = threads.map(lambda sent: closed_after(url, sent, 2 * limit), SLOW.values())
        while threads._work_queue.qsize():
            time.sleep(0.01)
        assert httpx.get(f"{url}/ping", timeout=1).status_code == 200
        for name, taken in zip(SLOW, times, strict=True):
            assert taken < limit, name


def test_slow_clients_are_closed_while_others_are_answered(
    serve: Serve, obedient: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEADER_SECONDS", 0.5)
    monkeypatch.setattr(prediction_request, "STEP_SECONDS", 0.5)

    assert_slow_clients_are_closed(serve(obedient), 3.0)


@pytest.mark.slow
def test_slow_clients_are_closed_within_15_seconds(serve: Serve, obedient: Path) -> None:
    assert_slow_clients_are_closed(serve(obedient), 15.0)


SLOW_LIMITS = [("1", True), ("150", False)]


def memory(pid: int) -> int:
    """The largest amount of memory that a process has used, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


@pytest.mark.parametrize(
    ("limit", "chunked"),
    [
        ("1", False),
        ("150", True),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in SLOW_LIMITS),
    ],
)
def test_a_body_over_the_limit_is_rejected_and_costs_no_memory(
    obedient: Path, limit: str, chunked: bool
) -> None:
    def body() -> Iterator[bytes]:
        yield b'{"inputs": ["'
        for _ in range(200):
            yield b"x" * 1_000_000

    headers = {"Content-Type": "application/json"} | (
        {} if chunked else {"Content-Length": "200000013"}
    )
    with program(obedient, "--max-body", limit) as (process, url):
        ask(url, "x")
        before = memory(process.pid)
        answer = httpx.post(
            f"{url}/invocations", content=body(), headers=headers, timeout=60, verify=False
        )

        assert (answer.status_code, answer.json()["error_code"]) == (413, "REQUEST_TOO_LARGE")
        assert memory(process.pid) - before < 50_000_000
        assert ask(url, "x").status_code == 200


def test_a_sandboxed_model_is_served(serve: Serve, obedient: Path) -> None:
    lines: list[str] = []
    url = serve(obedient, sandbox=True, report=lines.append)

    assert any(line.startswith("Sandbox:") for line in lines)
    assert ask(url, "x").json() == {"predictions": "x"}
    if "bubblewrap" in lines[0]:
        assert ask(url, "home").json() == {"predictions": []}
    assert ask(url, "die").status_code == 502
    assert ask(url, "x").json() == {"predictions": "x"}


@pytest.mark.e2e
def test_an_environment_that_serves_is_not_pruned(obedient: Path) -> None:
    from envkit.environments.store import housekeeping

    with envkit.serve(obedient, port=0, synchronous=False) as server:
        ask(server.url, "x")
        kept = [each.path for each in housekeeping.environments()]
        housekeeping.prune(everything=True)

        assert [each.path for each in housekeeping.environments()] == kept
        assert ask(server.url, "die").status_code == 502
        assert ask(server.url, "x").json() == {"predictions": "x"}


def test_a_server_stops_at_the_end_of_its_block(obedient: Path) -> None:
    with envkit.serve(obedient, port=0, env_manager="local", synchronous=False) as server:
        pid = ask(server.url, "pid").json()["predictions"]

    assert is_gone(pid)
    with pytest.raises(httpx.ConnectError):
        ask(server.url, "pid")
    assert not [each for each in threading.enumerate() if each.name == "envkit-serving"]


def test_serving_in_a_running_event_loop_names_the_thread_option(obedient: Path) -> None:
    async def serve() -> None:
        envkit.serve(obedient)

    with pytest.raises(InvalidArgument, match="synchronous=False"):
        asyncio.run(serve())


def test_without_a_model_the_contract_of_sagemaker_holds(
    obedient: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "MODEL", obedient)

    assert container.address(None, None, None) == (str(obedient), "0.0.0.0", 8080)
    assert container.address(None, None, 8081) == (str(obedient), "0.0.0.0", 8081)
    assert container.address("other", None, None) == ("other", "127.0.0.1", 5000)


def test_a_model_must_be_named_outside_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "MODEL", tmp_path / "none")

    with pytest.raises(InvalidArgument, match="MODEL"):
        container.address(None, None, None)
