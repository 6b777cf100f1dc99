"""A sound model, and a model that runs with packages of a local index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.builders import osv, package_index, runnable_model
from tests.builders.sound_model import Sound, sound_model

DAY = "1767225600"  # 2026-01-01, so that the tests mean the same in later years


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of tiny wheels."""
    folder = tmp_path_factory.mktemp("index")
    runnable_model.write_index(folder)
    return folder


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, index: Path) -> Iterator[Mapping[str, str]]:
    """Variables that name that index, and a store and a cache that the tests share."""
    folder = tmp_path_factory.mktemp("machine")
    with package_index.serve_folder(index) as host, osv.fake_osv() as url:
        yield {
            "UV_DEFAULT_INDEX": f"http://{host}/simple",
            "UV_CACHE_DIR": str(folder / "cache"),
            "ENVKIT_HOME": str(folder / "store"),
            "PIP_AUDIT_VULNERABILITY_SERVICE": "osv",
            "PIP_AUDIT_OSV_URL": url,
        }


@pytest.fixture
def running(
    tmp_path: Path, index: Path, machine: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """Make a model that runs, with files laid over it, on a machine that knows its index."""
    for name, value in machine.items():
        monkeypatch.setenv(name, value)
    return lambda files=None, name="model": runnable_model.runnable_model(
        tmp_path / name, index, files
    )


@pytest.fixture(autouse=True)
def fixed_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", DAY)


@pytest.fixture
def sound(tmp_path: Path) -> Sound:
    """Make a sound model, with files laid over it."""
    return lambda files=None, name="model", **more: sound_model(tmp_path / name, files, **more)
