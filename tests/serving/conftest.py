"""Servers of small models on free ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

import envkit
from tests.builders.obedient_model import Serve, obedient_model


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[..., Path]:
    """Write the obedient model, or one with other code."""
    return lambda *arguments, **options: obedient_model(tmp_path / "model", *arguments, **options)


@pytest.fixture(scope="session")
def obedient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The obedient model, shared by the tests."""
    return obedient_model(tmp_path_factory.mktemp("obedient") / "model")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve a model in a thread until the test ends; gives the URL."""
    with ExitStack() as servers:

        def start(model: Path, **options: Any) -> str:
            server = envkit.serve(model, port=0, env_manager="local", synchronous=False, **options)
            servers.enter_context(server)
            return server.url

        yield start


@pytest.fixture(scope="module")
def url(obedient: Path) -> Iterator[str]:
    """A server of the obedient model that the tests of a module share."""
    with envkit.serve(
        obedient,
        port=0,
        env_manager="local",
        synchronous=False,
        timeout=20.0,
        max_body=1_000_000,
    ) as server:
        yield server.url


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    """A client that verifies nothing: to load the certificates takes a while."""
    with httpx.Client(verify=False, timeout=30) as client:
        yield client
