"""What the later stages need: a model that runs, a local index of tiny wheels, a fake of OSV."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from envkit.validating.finding import ALWAYS, Stage
from envkit.validating.options import RunOptions
from tests.builders import package_index
from tests.builders.locks import lock_text
from tests.validating.conftest import FILES, evidence, write

RUNNING = ".".join(map(str, sys.version_info[:3]))
CODE = """import acme


class Model:
    def predict(self, data, params=None):
        return [{"price": x * acme.FACTOR, "name": str(x)} for x in data["x"]]


def _load_pyfunc(path):
    return Model()
"""
ANSWER = [{"price": 2.0, "name": "1.0"}, {"price": 5.0, "name": "2.5"}]
ACME = "import other\nVERSION = '{}'\nFACTOR = other.FACTOR\n"


def make_index(folder: Path) -> None:
    """acme 0.9 and 1.0, which need other; other 1.0 and 2.0; spare, which needs extra; odd ones."""
    for version in ("0.9", "1.0"):
        package_index.add_wheel(folder, "acme", version, ["other>=1"], ACME.format(version))
    for version in ("1.0", "2.0"):
        package_index.add_wheel(folder, "other", version, [], f"FACTOR = {version}\n")
    package_index.add_wheel(folder, "spare", "1.0", ["extra==1.0"])
    package_index.add_wheel(folder, "extra", "1.0")
    package_index.add_wheel(folder, "fussy", "1.0", ["other<2"])
    package_index.add_wheel(folder, "recalled", "1.0")
    page = folder / "simple" / "recalled" / "index.html"
    page.write_text(page.read_text().replace("<a ", '<a data-yanked="it was broken" '))
    wheel = package_index.add_wheel(folder, "elsewhere", "1.0")
    page = wheel.parent / "index.html"
    page.write_text(page.read_text().replace("py3-none-any", "py3-none-win_amd64"))
    wheel.rename(wheel.parent / wheel.name.replace("py3-none-any", "py3-none-win_amd64"))
    source = folder / "simple" / "source-only"
    source.mkdir()
    (source / "source_only-1.0.tar.gz").write_bytes(b"never opened")
    (source / "index.html").write_text(
        '<a href="source_only-1.0.tar.gz">source_only-1.0.tar.gz</a>\n'
    )


def lock(index: Path, *pins: str) -> str:
    """A lock of wheels of the index, with their real hashes."""
    packages: list[Mapping[str, Any]] = []
    for pin in pins:
        name, _, version = pin.partition("==")
        wheel = next((index / "simple" / name).glob(f"*-{version}-*.whl"))
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        file = {
            "url": f"{os.environ['UV_DEFAULT_INDEX']}/{name}/{wheel.name}",
            "hashes": {"sha256": digest},
        }
        packages.append({"name": name, "version": version, "wheels": [file]})
    return lock_text(packages=packages)


def make(path: Path, index: Path, files: Mapping[str, str | bytes | None] | None = None) -> Path:
    """Make a model that runs with acme and other, as if captured, and lay files over it."""
    path.mkdir(parents=True)
    write(path, {name: text.replace("3.12.7", RUNNING) for name, text in FILES.items()})
    content = yaml.safe_load((path / "MLmodel").read_text())
    content["saved_input_example_info"] = {
        "artifact_path": "input_example.json",
        "type": "json_object",
    }
    own = {
        "MLmodel": yaml.safe_dump(content),
        "code/loader.py": CODE,
        "input_example.json": '{"x": [1.0, 2.5]}',
        "pylock.toml": lock(index, "acme==1.0", "other==2.0"),
    }
    write(path, own)
    interpreter = {"implementation": "cpython", "version": RUNNING, "platform": "linux-x86_64"}
    captured = evidence(
        path, interpreter=interpreter, prediction={"input": "input_example.json", "output": ANSWER}
    )
    write(path, {"envkit.json": json.dumps(captured)})
    write(path, files or {})
    return path


def options_for(model: Path, stage: Stage) -> dict[str, Any]:
    """Options that request a stage: resolve for Linux, compare with `there` in the model."""
    there = next((str(path) for path in sorted(model.glob("there*"))), "current")
    return {
        "stages": ALWAYS | {stage},
        "targets": ("linux-x86_64:3.12",),
        "audit": True,
        "against": there,
        "run": RunOptions(timeout=60.0),
    }


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
