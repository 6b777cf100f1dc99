"""A package index on the loopback interface, open or behind a password."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.builders.wheels import write_wheel


def add_wheel(
    folder: Path, name: str, version: str, requires: Sequence[str] = (), content: str = ""
) -> Path:
    """Put a wheel into `folder/simple/<name>/`, with the page that lists it."""
    page = folder / "simple" / name
    page.mkdir(parents=True, exist_ok=True)
    wheel = write_wheel(page, name, version, requires, content)
    write_page(page)
    return wheel


def write_page(folder: Path) -> None:
    """Write the page that lists the wheels of a folder, with their hashes."""
    links = [_link(wheel) for wheel in sorted(folder.glob("*.whl"))]
    (folder / "index.html").write_text("".join(links))


def _link(wheel: Path) -> str:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f'<a href="{wheel.name.replace("+", "%2B")}#sha256={digest}">{wheel.name}</a>\n'


@contextmanager
def serve_folder(folder: Path, login: str = "") -> Iterator[str]:
    """Serve the files of a folder; gives host and port. login: `user:password` that is required."""
    authorization = None
    if login:
        authorization = f"Basic {base64.b64encode(login.encode()).decode()}"
    handler = partial(_Handler, directory=str(folder), authorization=authorization)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: object, authorization: str | None, **named: object) -> None:
        self.authorization = authorization
        super().__init__(*arguments, **named)  # type: ignore[arg-type]

    def send_head(self) -> object:  # type: ignore[override]
        if self.authorization in (None, self.headers.get("Authorization")):
            return super().send_head()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="index"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def log_message(self, *arguments: object) -> None:
        return None
