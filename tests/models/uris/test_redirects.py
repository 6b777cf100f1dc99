"""Where a web server may send envkit, with real requests through a local proxy."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request

import pytest

from envkit.errors import ModelNotFound
from envkit.models.directory import ModelDirectory
from envkit.models.uris.redirects import Redirects


class _Redirecting(BaseHTTPRequestHandler):
    target = ""
    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(302)
        self.send_header("Location", self.target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Redirecting]]:
    handler = type("Handler", (_Redirecting,), {"seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        yield handler
        server.shutdown()


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("http://127.0.0.1:1/m", "internal address"),
        ("http://169.254.169.254/latest/meta-data", "internal address"),
        ("http://10.0.0.1/m", "internal address"),
        ("http://[::1]/m", "internal address"),
        ("http://[::ffff:127.0.0.1]/m", "internal address"),
        ("http://2130706433/m", "internal address"),
        ("ftp://192.0.2.1/m", "not HTTP"),
    ],
)
def test_a_redirect_that_leads_inside_is_refused(
    proxy: type[_Redirecting], target: str, problem: str
) -> None:
    proxy.target = target

    with pytest.raises(ModelNotFound, match=problem):
        ModelDirectory.open("http://models.invalid/m.tar.gz")

    assert set(proxy.seen) == {"http://models.invalid/m.tar.gz"}


def _follow(origin: str, target: str) -> Request | None:
    return Redirects().redirect_request(
        Request(origin), io.BytesIO(), 302, "Found", Message(), target
    )


def test_a_redirect_keeps_encryption() -> None:
    with pytest.raises(ConnectionError, match="not encrypted"):
        _follow("https://models.invalid/m", "http://models.invalid/m")


@pytest.mark.parametrize(
    ("origin", "target"),
    [
        ("http://10.0.0.1/m", "http://10.0.0.2/m"),
        ("http://[::1]:80/m", "http://127.0.0.1/m"),
        ("http://models.invalid/m", "https://models.invalid/m"),
    ],
)
def test_other_redirects_are_followed(origin: str, target: str) -> None:
    followed = _follow(origin, target)

    assert followed is not None
    assert followed.full_url == target
