"""What tests of images share: small images, and a real registry on this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from envkit.environments.packing.members import Member
from envkit.images import platforms
from envkit.images.blob_cache import BlobCache
from envkit.images.image import BaseImage, ImageSet, assemble, image_set
from envkit.images.layers.layer_file import Compression, write_layer

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


@pytest.fixture
def cache(tmp_path: Path) -> BlobCache:
    return BlobCache(tmp_path / "cache")


@pytest.fixture
def small_image(cache: BlobCache) -> Callable[..., ImageSet]:
    """Make an image of a few files, without a base."""

    def make(
        *contents: bytes,
        compression: Compression = Compression.GZIP,
        platform: str = "linux/amd64",
    ) -> ImageSet:
        layers = [
            write_layer(
                [Member(name=f"{number}.txt", content=content)],
                "data",
                cache=cache,
                compression=compression,
                created_by="test",
                time=EPOCH,
            )
            for number, content in enumerate(contents)
        ]
        image = assemble(
            BaseImage(),
            layers,
            platforms.parse(platform),
            {"User": "65532:65532", "Env": ["A=b"]},
            annotations={},
            created=CREATED,
        )
        return image_set([image], {})

    return make


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
        f"version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {folder}}}\n"
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


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with running_registry(tmp_path / "registry") as running:
        yield running


@pytest.fixture
def guarded_registry(tmp_path: Path) -> Iterator[Registry]:
    """A registry that wants the login `user`, `secret`."""
    passwords = tmp_path / "htpasswd"
    passwords.write_text(f"user:{BCRYPT_OF_SECRET}\n")
    more = f"auth:\n  htpasswd: {{realm: test, path: {passwords}}}\n"
    with running_registry(tmp_path / "registry", more) as running:
        yield running


@pytest.fixture(autouse=True)
def no_logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No login of the user's is read."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def helper_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put a credential helper on the path: a script."""

    def make(name: str, script: str) -> None:
        folder = tmp_path / "helpers"
        folder.mkdir(exist_ok=True)
        program = folder / f"docker-credential-{name}"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return make
