"""Requests that are damaged at random: the server neither hangs, nor fails, nor grows."""

from __future__ import annotations

import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.builders.obedient_model import ask
from tests.builders.serve_program import program

BODY = b'{"inputs": ["x", "y"], "params": {}}'
HEAD = b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SEEDS = [
    HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY),
    HEAD.replace(b"json", b"json; charset=utf-8") + b"Content-Length: 2\r\n\r\n{}",
    HEAD.replace(b"application/json", b"text/csv") + b"Content-Length: 7\r\n\r\na,b\n1,2",
    b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n\r\n" * 2,
    b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: a\r\n\r\n",
]
PIECES = [
    b"\r\n", b"\0", b"\xff", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n",
    b"; charset*=utf-8''utf-8", b"Expect: 100-continue\r\n", b"9" * 30, b"[" * 500, b"//", b"%0a",
    b"Host: evil\r\n", b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"-1", b"\x1b[31m", b"NaN",
]  # fmt: skip


def damaged(chance: random.Random) -> bytes:
    """Give a request with up to four changes."""
    sent = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randrange(5)):
        place = chance.randrange(len(sent) + 1)
        match chance.randrange(4):
            case 0:
                sent[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                sent[place:place] = chance.choice(PIECES)
            case 2:
                del sent[place : place + chance.randrange(1, 20)]
            case 3:
                sent[place:place] = sent[place : place + chance.randrange(1, 60)]
    return bytes(sent)


def has_ended(url: httpx.URL, sent: bytes) -> bool:
    """Send bytes, say that no more follow, and see whether the server closes in time."""
    with socket.create_connection((url.host, url.port or 0), timeout=20) as client:
        try:
            client.sendall(sent)
            client.settimeout(0.05)
            with suppress(TimeoutError):  # the request is incomplete
                client.recv(65536)
            client.settimeout(20)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass  # the server closed first
    return True


def measure(pid: int) -> tuple[int, int]:
    """Give a process's resident memory in kB and its number of descriptors."""
    status = Path(f"/proc/{pid}/status").read_text()
    memory = int(status.partition("VmRSS:")[2].split()[0])
    return memory, len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_damaged_requests_cost_nothing(obedient: Path, count: int, tmp_path: Path) -> None:
    said: list[str] = []
    with program(obedient, "--log-format", "json", "--access-log") as (process, text):
        assert process.stderr is not None
        reader = threading.Thread(target=lambda: said.extend(process.stderr or ()))
        reader.start()
        url = httpx.URL(text)
        chance = random.Random(7)

        def run(number: int) -> list[bytes]:
            requests = [damaged(chance) for _ in range(number)]
            with ThreadPoolExecutor(16) as threads:
                ended = list(threads.map(lambda sent: has_ended(url, sent), requests))
            return [sent for sent, done in zip(requests, ended, strict=True) if not done]

        hung = run(count // 4)
        memory, descriptors = measure(process.pid)
        hung += run(count - count // 4)
        after_memory, after_descriptors = measure(process.pid)

        assert ask(text, "x").json() == {"predictions": "x"}
        process.terminate()
        assert process.wait(20) == 0
        reader.join(10)

    assert hung == []
    assert [line for line in said if "Traceback" in line] == []
    assert after_descriptors <= descriptors + 2
    assert after_memory <= memory + 20_000
