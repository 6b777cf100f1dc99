"""What tests of images share: small images, and a real registry on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envkit.environments.packing.members import Member
from envkit.images import platforms
from envkit.images.blob_cache import BlobCache
from envkit.images.image import BaseImage, ImageSet, assemble, image_set
from envkit.images.layers.layer_file import Compression, write_layer
from tests.builders.registries import (
    BCRYPT_OF_SECRET,
    CREATED,
    EPOCH,
    Registry,
    running_registry,
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
