"""A real registry on this machine, and what its tests need to know."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from envkit.images import platforms

BCRYPT_OF_SECRET = "$2b$05$aaaaaaaaaaaaaaaaaaaaaOjOHCcGZ1ZydhnG2lX11qSmiRJbsbsA."
EPOCH = 315532800
CREATED = "1980-01-01T00:00:00Z"
AMD64 = platforms.parse("linux/amd64")


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip a test where a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(
        bool(missing), reason=f"not installed: {', '.join(missing)} (.ci/run installs them)"
    )


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A running registry. folder: where it keeps what it was sent."""

    address: str
    folder: Path

    @property
    def blobs(self) -> set[str]:
        """The digests of everything that it keeps."""
        found = self.folder.glob("docker/registry/v2/blobs/sha256/*/*/data")
        return {f"sha256:{path.parent.name}" for path in found}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@contextmanager
def running_registry(folder: Path, more: str = "") -> Iterator[Registry]:
    """Run docker-registry. more: lines of its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    configuration = folder / "config.yml"
    configuration.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage:\n"
        f"  filesystem: {{rootdirectory: {folder}}}\n"
        f"  delete: {{enabled: true}}\nhttp: {{addr: '127.0.0.1:{port}', secret: x}}\n{more}"
    )
    process = subprocess.Popen(
        ["docker-registry", "serve", str(configuration)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_answer(f"http://127.0.0.1:{port}/v2/")
        yield Registry(address=f"127.0.0.1:{port}", folder=folder)
    finally:
        process.terminate()
        process.wait(10)


def _await_answer(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(url)
