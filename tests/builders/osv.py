"""A fake of the vulnerability service OSV."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _FakeOsv(BaseHTTPRequestHandler):
    """Knows one vulnerability, of acme 0.9; the service itself cannot be reached here."""

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        bad = (query["package"]["name"], query["version"]) == ("acme", "0.9")
        events = [{"introduced": "0"}, {"fixed": "1.0"}]
        package = {"name": "acme", "ecosystem": "PyPI"}
        affected = [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}]
        known = {
            "id": "PYSEC-2025-1",
            "aliases": ["CVE-2025-1"],
            "summary": "bad",
            "affected": affected,
        }
        body = json.dumps({"vulns": [known]} if bad else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def fake_osv() -> Iterator[str]:
    """A fake of https://google.github.io/osv.dev/post-v1-query/; gives its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _FakeOsv) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
        server.shutdown()
