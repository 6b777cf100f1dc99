"""What the server answers and what it rejects."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import envkit
from tests.builders.obedient_model import Serve, ask, obedient_model

JSON = {"Content-Type": "application/json"}
ERROR_KEYS = {"error_code", "message", "sqlstate", "error_class"}


def post(url: str, content: Any, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.post(
        f"{url}/invocations",
        content=content,
        headers=JSON | (headers or {}),
        timeout=30,
        verify=False,
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/ping", 200),
        ("GET", "/health", 200),
        ("GET", "/version", 200),
        ("GET", "/metrics", 200),
        ("POST", "/ping", 405),
        ("GET", "/invocations", 405),
        ("PUT", "/invocations", 405),
        ("GET", "/", 404),
        ("POST", "/predict", 404),
        ("POST", "/invocations/", 404),
        ("GET", "/ping/", 404),
        ("GET", "/livez", 200),
        ("GET", "/readyz", 200),
    ],
)
def test_the_endpoints_are_those_of_a_scoring_server(
    url: str, method: str, path: str, status: int
) -> None:
    answer = httpx.request(method, url + path, verify=False)

    assert answer.status_code == status
    if path in {"/ping", "/health"} and status == 200:
        assert answer.text == "\n"
    if path == "/version":
        assert answer.text == envkit.__version__
    if status == 200 and path != "/metrics":
        assert answer.headers["Content-Type"] == "application/json"
    if status >= 400:
        assert set(answer.json()) == ERROR_KEYS


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('application/json;charset="UTF-8"', 200),
        ("APPLICATION/JSON", 200),
        ("application/json; charset=latin-1", 415),
        ("application/json; foo=bar", 415),
        ("text/plain", 415),
        ("json", 415),
        ("", 415),
        ("application/x-parquet", 415),
        ("application/json; charset*=utf-8''utf-8", 415),
        ("application/json; charset*=''%ff", 415),
        ("application/json; charset*0=utf; charset*1=-8", 200),
        ("application/json; x*0*=a''b", 415),
        ("*/*", 415),
        (";", 415),
        (None, 415),
    ],
)
def test_an_unknown_content_type_is_rejected(
    url: str, content_type: str | None, status: int
) -> None:
    with httpx.Client(verify=False) as client:
        request = client.build_request("POST", f"{url}/invocations", content=b'{"inputs": ["a"]}')
        if content_type is not None:
            request.headers["Content-Type"] = content_type
        answer = client.send(request)

    assert answer.status_code == status
    assert ("error_code" in answer.json()) == (status != 200)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[1]",
        b"{}",
        b'{"inputs": ["a"], "instances": ["a"]}',
        b'{"inputs": ["a"], "parms": {}}',
        b"[" * 500_000,
        b'{"inputs": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"inputs": [' + b"9" * 100_000 + b"]}",
        b"\xff\xfe",
        b'{"dataframe_split": 5}',
    ],
    ids=lambda body: body[:12].decode("latin-1"),
)
def test_a_malformed_body_is_the_clients_fault(url: str, body: bytes) -> None:
    answer = post(url, body)

    assert answer.status_code == 400
    assert answer.json()["error_code"] == "BAD_REQUEST"
    assert "Traceback" not in answer.text


def exchange(url: str, sent: bytes) -> tuple[int, dict[str, Any]]:
    """Send bytes that no HTTP library would send; gives status and body."""
    with socket.create_connection((httpx.URL(url).host, httpx.URL(url).port or 0)) as client:
        client.sendall(sent)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        return answer.status, json.loads(answer.read())


CHUNKED = (
    b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"HELLO\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01", 400),
        (b"GET /ping HTTP/1.1\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
        (CHUNKED + b"ZZ\r\n", 400),
        (b"GET /ping HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20_000, 400),
        (b"GET /" + b"a" * 50_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"post /invocations HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (CHUNKED.replace(b"Host", b"Content-Type: text/csv\r\nHost") + b"0\r\n\r\n", 415),
    ],
    ids=lambda sent: sent[:30] if isinstance(sent, bytes) else str(sent),
)
def test_malformed_http_gets_the_same_json_as_every_error(
    url: str, sent: bytes, status: int
) -> None:
    received, body = exchange(url, sent)

    assert received == status
    assert set(body) == ERROR_KEYS
    assert len(body["message"]) < 300


@pytest.mark.parametrize(
    "sent",
    [
        b"HELLO\r\n\r\n",
        CHUNKED + b"ZZ\r\n",
        CHUNKED + b"5\r\nabcdefgh\r\n0\r\n\r\n",
        CHUNKED + b"-1\r\n\r\n" * 50,
    ],
)
def test_a_malformed_request_is_one_line_of_the_log_with_the_address(
    url: str, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert exchange(url, sent)[0] == 400
    time.sleep(0.1)

    (line,) = caplog.messages
    assert re.search(r"127\.0\.0\.1:\d+", line)
    assert "\n" not in line


def test_a_length_beside_chunks_closes_the_connection(url: str) -> None:
    both = CHUNKED.replace(b"Host", b"Content-Length: 4\r\nHost")
    hidden = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection((httpx.URL(url).host, httpx.URL(url).port or 0)) as client:
        client.settimeout(5)
        client.sendall(both + b"0\r\n\r\n" + hidden)
        received = b""
        while piece := client.recv(10_000):
            received += piece

    assert received.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in received.lower()


def test_a_protocol_upgrade_is_ignored(url: str, caplog: pytest.LogCaptureFixture) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}

    assert httpx.get(f"{url}/ping", headers=upgrade, verify=False).status_code == 200
    assert not caplog.records


def test_a_compressed_body_is_rejected(url: str) -> None:
    assert post(url, b"x", {"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("raise", 500, "INTERNAL_ERROR"),
        ("exit", 500, "INTERNAL_ERROR"),
        ("object", 500, "INTERNAL_ERROR"),
    ],
)
def test_a_failing_model_is_a_500_without_a_traceback(
    url: str, what: str, status: int, code: str
) -> None:
    before = ask(url, "pid").json()
    answer = ask(url, what)

    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert set(answer.json()) == ERROR_KEYS
    assert answer.json()["error_class"] == "PREDICTION_FUNCTION_FAILED"
    assert "secret" not in answer.text
    assert "obedient.py" not in answer.text
    assert ask(url, "pid").json() == before


def test_clients_see_the_traceback_with_show_traceback(
    serve: Serve, obedient: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(serve(obedient, show_traceback=True), "raise").json()

    assert "ValueError: a secret" in answer["message"]
    assert 'raise ValueError("a secret")' in answer["stack_trace"]
    assert "ValueError: a secret" in caplog.text


def test_nan_and_infinity_are_null_in_valid_json(url: str) -> None:
    text = ask(url, "nan").text

    assert json.loads(text, parse_constant=lambda name: pytest.fail(name)) == {
        "predictions": [None, 1.5, None]
    }


@pytest.mark.parametrize("key", ["messages", "prompt", "input"])
def test_a_chat_reaches_the_model_whole_and_its_answer_is_not_wrapped(url: str, key: str) -> None:
    answer = httpx.post(f"{url}/invocations", json={key: "hi", "temperature": 1}, verify=False)

    assert answer.json() == [{key: "hi", "temperature": 1}, {}]


@pytest.mark.parametrize(
    ("what", "how"), [("die", "ended with status 7"), ("fault", "was killed by SIGSEGV")]
)
def test_a_dead_worker_is_reported_and_the_next_request_works(
    url: str, what: str, how: str
) -> None:
    answer = ask(url, what)

    assert (answer.status_code, answer.json()["error_code"]) == (502, "WORKER_DIED")
    assert how in answer.json()["message"]
    assert ask(url, "x").json() == {"predictions": "x"}


def test_a_request_that_takes_too_long_is_stopped_with_its_child_processes(
    serve: Serve, obedient: Path
) -> None:
    url = serve(obedient, timeout=2.0)
    pid = ask(url, "pid").json()["predictions"]
    child = ask(url, "child").json()["predictions"]
    started = time.monotonic()
    answer = ask(url, "sleep", 60)

    assert (answer.status_code, answer.json()["error_code"]) == (504, "DEADLINE_EXCEEDED")
    assert 1.9 < time.monotonic() - started < 4
    while (again := ask(url, "pid")).status_code == 503:  # while it is restarted
        assert time.monotonic() - started < 30
    assert again.json()["predictions"] != pid
    assert not Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{child}").exists()


def test_a_large_answer_is_complete(url: str) -> None:
    assert len(ask(url, "large", 20_000_000).json()["predictions"]) == 20_000_000


def test_requests_and_restarts_are_counted(serve: Serve, obedient: Path) -> None:
    url = serve(obedient, workers=2)
    for what in ("x", "raise", "die", "x"):
        ask(url, what)
    text = httpx.get(f"{url}/metrics", verify=False).text

    for line in (
        'envkit_requests_total{status="200"} 2.0',
        'envkit_requests_total{status="500"} 1.0',
        'envkit_requests_total{status="502"} 1.0',
        "envkit_request_seconds_count 4.0",
        "envkit_requests_in_flight 0.0",
        'envkit_worker_restarts_total{reason="died"} 1.0',
    ):
        assert line in text.splitlines()
    assert re.search(r"^envkit_workers_ready [12]\.0$", text, re.MULTILINE)


def events(answer: httpx.Response) -> list[Any]:
    data = [
        line.removeprefix("data: ")
        for line in answer.text.splitlines()
        if line.startswith("data: ")
    ]
    return [each if each == "[DONE]" else json.loads(each) for each in data]


def test_a_stream_arrives_in_pieces(url: str) -> None:
    asked = {"messages": ["a", 0.3, "b"], "stream": True}
    with httpx.stream("POST", f"{url}/invocations", json=asked, verify=False) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        arrivals = [(time.monotonic(), line) for line in answer.iter_lines() if line]

    assert [json.loads(line[6:])["said"] for _, line in arrivals[:-1]] == ["a", 0.3, "b"]
    assert arrivals[-1][1] == "data: [DONE]"
    assert arrivals[1][0] - arrivals[0][0] > 0.2


def test_a_failing_stream_ends_with_an_error(url: str) -> None:
    accepted = {"Accept": "text/event-stream"}
    first = httpx.post(
        f"{url}/invocations", json={"messages": ["raise"]}, headers=accepted, verify=False
    )
    later = httpx.post(
        f"{url}/invocations", json={"messages": ["a", "raise"]}, headers=accepted, verify=False
    )

    assert (first.status_code, first.json()["error_code"]) == (500, "INTERNAL_ERROR")
    assert [each.get("said", each.get("error_code")) for each in events(later)] == [
        "a",
        "INTERNAL_ERROR",
    ]
    assert "event: error" in later.text
    assert "secret" not in later.text


def test_a_stream_without_a_reader_is_ended_and_the_worker_stays(url: str) -> None:
    asked = {"messages": ["a", *[0.05] * 1000], "stream": True}
    with httpx.stream("POST", f"{url}/invocations", json=asked, verify=False) as answer:
        said = json.loads(next(line for line in answer.iter_lines() if line)[6:])

    assert ask(url, "pid").json()["predictions"] == said["pid"]


def test_a_stream_is_rejected_by_a_model_that_cannot_stream(
    serve: Serve, make_model: Callable[..., Path]
) -> None:
    url = serve(make_model(streamable=False))
    answer = httpx.post(
        f"{url}/invocations",
        json={"messages": ["a"]},
        headers={"Accept": "text/event-stream"},
        verify=False,
    )
    plain = httpx.post(f"{url}/invocations", json={"messages": ["a"], "stream": True}, verify=False)

    assert answer.status_code == 406
    assert plain.json() == [{"messages": ["a"], "stream": True}, {}]


COLUMNS = {"inputs": [{"name": "a", "type": "long"}, {"name": "m", "type": "long"}]}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            {"inputs": {"a": [1]}},
            (400, "INVALID_PARAMETER_VALUE", "KAM01", "SCHEMA_ENFORCEMENT_FAILED"),
        ),
        (
            {"inputs": {"a": [2.5], "m": [1]}},
            (400, "BAD_REQUEST", "KAM00", "INVALID_PARAMETER_VALUE"),
        ),
        (
            {"messages": ["x"]},
            (400, "INVALID_PARAMETER_VALUE", "KAM01", "SCHEMA_ENFORCEMENT_FAILED"),
        ),
        (
            {"inputs": {"a": [1], "m": [0]}},
            (403, "PERMISSION_DENIED", "KAM00", "INVALID_PARAMETER_VALUE"),
        ),
        (
            {"inputs": {"a": [1], "m": [1]}},
            (500, "INTERNAL_ERROR", "KAM02", "PREDICTION_FUNCTION_FAILED"),
        ),
    ],
    ids=str,
)
def test_an_error_has_the_class_that_the_reference_gives_it(
    judge: str, asked: Any, expected: Any
) -> None:
    answer = httpx.post(f"{judge}/invocations", json=asked, verify=False)
    body = answer.json()

    assert (
        answer.status_code,
        body["error_code"],
        body["sqlstate"],
        body["error_class"],
    ) == expected
    assert ("may not" in body["message"]) == (expected[0] == 403)


JUDGE = """
class MlflowException(Exception):
    def __init__(self, error_code, status):
        super().__init__("you may not")
        self.error_code, self.status = error_code, status
    def get_http_status_code(self):
        return self.status
class Model:
    def predict(self, data):
        status = int(data["m"][0])
        raise MlflowException(*(("INTERNAL_ERROR", 500) if status else ("PERMISSION_DENIED", 403)))
def _load_pyfunc(path):
    return Model()
"""


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of a model that raises exceptions like MLflow's, which is not installed."""
    model = obedient_model(
        tmp_path_factory.mktemp("judge") / "model", JUDGE, COLUMNS, streamable=False
    )
    with envkit.serve(model, port=0, env_manager="local", synchronous=False) as server:
        yield server.url
