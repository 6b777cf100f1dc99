"""Who may ask a server, where it listens, and what it logs."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import stat
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import envkit
from envkit.errors import AddressUnavailable, InvalidArgument
from envkit.serving.gate import client_of, is_allowed_host
from tests.builders.obedient_model import Serve, ask
from tests.builders.serve_program import program

BODY = {"inputs": ["x"]}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer s3cret"}, 200),
        ({"Authorization": "bearer  s3cret"}, 200),
        ({"X-API-Key": "s3cret"}, 200),
        ({"Authorization": "Bearer s3cre"}, 401),
        ({"Authorization": "Bearer s3cretx"}, 401),
        ({"Authorization": "Basic s3cret"}, 401),
        ({"Authorization": "s3cret"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"X-API-Key": ""}, 401),
        ({"X-API-Key": b"\xff\xfe"}, 401),
    ],
    ids=str,
)
def test_predictions_need_the_api_key(keyed: str, headers: dict[str, str], status: int) -> None:
    answer = httpx.post(f"{keyed}/invocations", json=BODY, headers=headers, verify=False)

    assert answer.status_code == status
    if status == 401:
        assert answer.json()["error_code"] == "UNAUTHENTICATED"
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ping", 200),
        ("/livez", 200),
        ("/readyz", 200),
        ("/metrics", 401),
        ("/version", 401),
        ("/none", 401),
        ("//ping", 401),
        ("/ping/", 401),
    ],
)
def test_probes_need_no_key_and_everything_else_does(keyed: str, path: str, status: int) -> None:
    assert httpx.get(keyed + path, verify=False).status_code == status


@pytest.fixture(scope="module")
def keyed(obedient: Path) -> object:
    """A server that wants a key."""
    with envkit.serve(
        obedient, port=0, env_manager="local", synchronous=False, api_key="s3cret"
    ) as server:
        yield server.url


def test_the_key_of_the_environment_is_not_the_models(
    obedient: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVKIT_API_KEY", "s3cret")
    with program(obedient) as (_, url):
        answer = ask(url, "pid")
        worker = httpx.post(
            f"{url}/invocations",
            json={"inputs": ["pid"]},
            headers={"X-API-Key": "s3cret"},
            verify=False,
        ).json()["predictions"]

        assert answer.status_code == 401
        assert "s3cret" not in Path(f"/proc/{worker}/environ").read_text()


@pytest.mark.parametrize("key", ["", "two words", "ß"])
def test_a_key_that_cannot_be_sent_is_refused(obedient: Path, key: str) -> None:
    with pytest.raises(InvalidArgument, match="api_key"):
        envkit.serve(obedient, port=0, api_key=key)


def test_an_empty_key_does_not_open_the_server(
    obedient: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVKIT_API_KEY", "")
    with program(obedient, ready=False) as (process, _):
        assert process.wait(20) == 2


@pytest.mark.parametrize(
    ("header", "allowed", "expected"),
    [
        ("anything", (), True),
        ("", (), True),
        ("", ("a.org",), False),
        ("a.org", ("a.org",), True),
        ("A.ORG:8080", ("a.org",), True),
        ("a.org.", ("a.org",), True),
        ("b.org", ("a.org", "b.org"), True),
        ("a.org.evil.com", ("a.org",), False),
        ("xa.org", ("a.org",), False),
        ("x.a.org", ("*.a.org",), True),
        ("a.org", ("*.a.org",), False),
        (".a.org", ("*.a.org",), False),
        ("[::1]:5000", ("[::1]",), True),
        ("[::2]", ("[::1]",), False),
        ("127.0.0.1:80", ("127.0.0.1",), True),
        ("evil", ("*",), True),
    ],
)
def test_hosts_are_compared_without_port_and_case(
    header: str, allowed: tuple[str, ...], expected: bool
) -> None:
    assert is_allowed_host(header, allowed) is expected


def test_another_host_is_rejected(serve: Serve, obedient: Path) -> None:
    url = serve(obedient, allowed_hosts=["127.0.0.1", "*.example.org"])
    statuses = [
        httpx.get(f"{url}/ping", headers={"Host": host}, verify=False).status_code
        for host in ("127.0.0.1", "a.example.org", "evil.example.com")
    ]

    assert statuses == [200, 200, 400]


def test_every_answer_has_an_identifier_and_forbids_sniffing(url: str) -> None:
    own = httpx.get(f"{url}/none", headers={"X-Request-ID": "abc-1"}, verify=False)
    made = httpx.get(f"{url}/ping", headers={"X-Request-ID": "a b\x7f"}, verify=False)
    malformed = raw(url, b"HELLO\r\n\r\n")

    assert own.headers["X-Request-ID"] == "abc-1"
    assert re.fullmatch("[0-9a-f]{32}", made.headers["X-Request-ID"])
    assert own.headers["X-Content-Type-Options"] == "nosniff"
    assert b"X-Content-Type-Options: nosniff" in malformed


def raw(url: str, sent: bytes) -> bytes:
    with socket.create_connection((httpx.URL(url).host, httpx.URL(url).port or 0)) as client:
        client.sendall(sent)
        return client.recv(10_000)


def test_more_clients_than_allowed_get_503_and_probes_do_not(serve: Serve, obedient: Path) -> None:
    url = serve(obedient, limit_concurrency=2)
    with ThreadPoolExecutor() as threads:
        asked = [threads.submit(ask, url, "sleep", 0.7) for _ in range(5)]
        time.sleep(0.3)
        probed = httpx.get(f"{url}/livez", verify=False).status_code
        answers = [each.result() for each in asked]

    assert probed == 200
    assert sum(answer.status_code == 200 for answer in answers) <= 2
    assert {answer.status_code for answer in answers} == {200, 503}
    assert ask(url, "x").status_code == 200


def test_requests_are_logged_as_json_with_time_and_identifier(obedient: Path) -> None:
    words = ("--access-log", "--log-format", "json")
    with program(obedient, *words) as (process, url):
        httpx.post(f"{url}/invocations", json=BODY, headers={"X-Request-ID": "abc"}, verify=False)
        httpx.get(f"{url}/%1b[31m%0a", verify=False)
        raw(url, b"HELLO\r\n\r\n")
        ask(url, "raise")
        process.terminate()
        _, said = process.communicate(timeout=20)

    lines = [json.loads(line) for line in said.splitlines()]
    requests = [line for line in lines if line.get("event") == "request"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line["time"]) for line in lines)
    assert [line["status"] for line in requests] == [200, 404, 500]
    assert requests[0]["request_id"] == "abc"
    assert requests[0]["path"] == "/invocations"
    assert requests[0]["client"].startswith("127.0.0.1:")
    assert any("not valid HTTP" in line.get("message", "") for line in lines)
    assert any("ValueError: a secret" in line.get("message", "") for line in lines)


def test_requests_are_logged_as_text_without_control_characters(obedient: Path) -> None:
    with program(obedient, "--access-log") as (process, url):
        httpx.get(f"{url}/%1b[31m%0a", verify=False)
        process.terminate()
        _, said = process.communicate(timeout=20)

    assert re.search(r'^\S+Z 127\.0\.0\.1:\d+ "GET /\\u001b\[31m\\n" 404 [\d.]+s \w+$', said, re.M)
    assert "\x1b" not in said


def test_metrics_have_a_port_of_their_own(serve: Serve, obedient: Path) -> None:
    with envkit.serve(
        obedient,
        port=0,
        env_manager="local",
        synchronous=False,
        metrics_port=0,
        api_key="s3cret",
    ) as server:
        ask(server.url, "x")
        metrics = httpx.get(server.metrics_url, verify=False)
        elsewhere = httpx.post(
            server.metrics_url.replace("/metrics", "/invocations"), json=BODY, verify=False
        )
        there = httpx.get(f"{server.url}/metrics", headers={"X-API-Key": "s3cret"}, verify=False)

    assert "envkit_requests_total" in metrics.text
    assert elsewhere.status_code == 404
    assert there.status_code == 404
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.metrics_url, verify=False)


def test_a_unix_socket_is_served_and_removed(obedient: Path, tmp_path: Path) -> None:
    path = tmp_path / "envkit.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))  # as a killed server leaves it
    with envkit.serve(obedient, uds=path, env_manager="local", synchronous=False) as server:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
            answer = client.post("http://x/invocations", json=BODY)
        assert stat.S_ISSOCK(path.stat().st_mode)
        with pytest.raises(AddressUnavailable, match=r"in use.*--uds"):
            envkit.serve(obedient, uds=path, env_manager="local", synchronous=False)
        assert path.exists()

    assert answer.json() == {"predictions": "x"}
    assert server.url == f"unix:{path}"
    assert not path.exists()


def test_a_file_is_not_replaced_by_a_socket(obedient: Path, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("kept")

    with pytest.raises(AddressUnavailable, match="not a socket"):
        envkit.serve(obedient, uds=path)
    assert path.read_text() == "kept"


def test_a_path_too_long_for_a_socket_is_reported(obedient: Path, tmp_path: Path) -> None:
    with pytest.raises(AddressUnavailable, match="too long"):
        envkit.serve(obedient, uds=tmp_path / ("x" * 200))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `cert.pem` and `key.pem` for localhost."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
            folder / "key.pem",
            "-out",
            folder / "cert.pem",
        ],
        check=True,
        capture_output=True,
    )
    return folder


def test_a_server_with_a_certificate_speaks_tls(
    serve: Serve, obedient: Path, certificate: Path
) -> None:
    url = serve(
        obedient,
        ssl_certfile=certificate / "cert.pem",
        ssl_keyfile=certificate / "key.pem",
    )
    context = ssl.create_default_context(cafile=certificate / "cert.pem")
    answer = httpx.post(f"{url}/invocations", json=BODY, verify=context)

    assert url.startswith("https://")
    assert answer.json() == {"predictions": "x"}
    with pytest.raises(httpx.HTTPError):
        httpx.get(url.replace("https", "http") + "/ping")
    assert httpx.get(f"{url}/ping", verify=context).status_code == 200


def test_a_certificate_that_cannot_be_used_is_refused_at_once(
    obedient: Path, certificate: Path, tmp_path: Path
) -> None:
    key = certificate / "key.pem"
    locked = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "rsa", "-aes256", "-passout", "pass:x1234", "-in", key, "-out", locked],
        check=True,
        capture_output=True,
    )
    for certfile, keyfile in [
        (tmp_path / "none.pem", key),
        (key, key),
        (certificate / "cert.pem", None),
        (certificate / "cert.pem", locked),
    ]:
        with pytest.raises(InvalidArgument, match="TLS cannot use"):
            envkit.serve(obedient, port=0, ssl_certfile=certfile, ssl_keyfile=keyfile)
    with pytest.raises(InvalidArgument, match="certfile"):
        envkit.serve(obedient, port=0, ssl_keyfile=key)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (("1.2.3.4", 5), "1.2.3.4:5"),
        (("::1", 5, 0, 0), "[::1]:5"),
        (None, "-"),
        (("", 0), "-"),
    ],
)
def test_a_client_is_named_by_its_address(address: object, expected: str) -> None:
    assert client_of(address) == expected


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every port")
def test_a_privileged_port_is_reported(obedient: Path) -> None:
    with pytest.raises(AddressUnavailable):
        envkit.serve(obedient, port=1)
