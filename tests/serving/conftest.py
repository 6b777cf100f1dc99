"""Small models, and servers of them on free ports."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

import envkit

WHIMS = '''
"""A model that does what it is told, good and bad."""
import os, signal, sys, time

sys.modules["pandas"] = None  # not needed, and slow to import

class Model:
    def predict(self, data, params=None):
        if isinstance(data, dict):
            return [data, params]
        what, rest = str(data[0]), [str(each) for each in data[1:]]
        if what == "sleep":
            time.sleep(float(rest[0]))
        if what == "raise":
            raise ValueError("a secret")
        if what == "exit":
            sys.exit(3)
        if what == "die":
            os._exit(7)
        if what == "fault":
            os.kill(os.getpid(), signal.SIGSEGV)
        if what == "child":
            return os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "600")
        if what == "home":
            return os.listdir(os.path.expanduser("~"))
        values = {"pid": os.getpid(), "nan": [float("nan"), 1.5, float("-inf")], "object": object()}
        if what == "large":
            return "x" * int(rest[0])
        return values.get(what, what)

    def predict_stream(self, data, params=None):
        for each in data["messages"]:
            if each == "raise":
                raise ValueError("a secret")
            if isinstance(each, float):
                time.sleep(each)
            yield {"said": each, "pid": os.getpid()}

def _load_pyfunc(path):
    return Model()
'''
VERSION = ".".join(map(str, sys.version_info[:3]))
Make = Callable[..., Path]
Ask = Callable[..., httpx.Response]


def write_model(
    folder: Path, code: str = WHIMS, signature: Any = None, streamable: bool = True
) -> Path:
    """Write a model of one module, which needs nothing."""
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "whims.py").write_text(code)
    flavor = {
        "loader_module": "whims",
        "code": "code",
        "streamable": streamable,
        "python_version": VERSION,
    }
    described: dict[str, Any] = {"flavors": {"python_function": flavor}}
    if signature is not None:
        described["signature"] = {key: json.dumps(value) for key, value in signature.items()}
    (folder / "MLmodel").write_text(json.dumps(described))
    (folder / "requirements.txt").write_text("")
    return folder


@pytest.fixture
def make_model(tmp_path: Path) -> Make:
    return lambda *arguments, **options: write_model(tmp_path / "model", *arguments, **options)


@pytest.fixture(scope="session")
def whims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("whims") / "model")


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Serve a model in a thread until the test ends; gives the URL."""
    with ExitStack() as servers:

        def start(model: Path, **options: Any) -> str:
            server = envkit.serve(model, port=0, env_manager="local", synchronous=False, **options)
            servers.enter_context(server)
            return server.url

        yield start


@pytest.fixture(scope="module")
def url(whims: Path) -> Iterator[str]:
    """A server that the tests of a module share."""
    with envkit.serve(
        whims, port=0, env_manager="local", synchronous=False, timeout=20.0, max_body=1_000_000
    ) as server:
        yield server.url


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    """A client that trusts nobody: to find out whom it might takes a while."""
    with httpx.Client(verify=False, timeout=30) as client:
        yield client


def ask(url: str, *data: Any) -> httpx.Response:
    """Ask for a prediction on a list of texts."""
    asked = {"inputs": [str(each) for each in data]}
    return httpx.post(f"{url}/invocations", json=asked, timeout=30, verify=False)
