"""What all tests share: a home and an environment store of their own, and copies of the fixture models."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conda_channel import conda_channel

__all__ = ["conda_channel"]

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "models"
MODELS = ("sklearn_pipeline", "xgboost_regressor", "custom_loader", "python_model", "code_model")


@dataclass(frozen=True, kw_only=True)
class FixtureModel:
    """A copy of a fixture model, and what MLflow predicts for its input example."""

    path: Path
    expected: Any

    @property
    def input(self) -> Path:
        """The input example as a request to a scoring server."""
        return self.path / "serving_input_example.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests that take minutes, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is slow, whatever else is selected."""
    if not config.getoption("--slow"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """What the tests start can be interrupted, also where these were started in the background, deaf to it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Nothing of the user is read or written: not the store, not the settings of installers in the home.

    Where this machine gets packages from is its business: settings that pip and uv find in the home
    are handed on by name.
    """
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name, file in _settings_of_installers(Path.home()).items():
            patch.setenv(name, str(file))
        # pyenv is found as before, although it lies in the home
        if "PYENV_ROOT" not in os.environ and (pyenv := Path.home() / ".pyenv").is_dir():
            patch.setenv("PYENV_ROOT", str(pyenv))
        patch.setenv("HOME", str(home))
        for name in ("CACHE", "CONFIG", "DATA", "STATE"):
            patch.delenv(f"XDG_{name}_HOME", raising=False)
        patch.setenv("ENVKIT_HOME", str(home / "envkit"))
        patch.setenv(
            "UV_PYTHON_DOWNLOADS", "never"
        )  # an interpreter that is not there is not searched on the network
        yield home


def _settings_of_installers(home: Path) -> dict[str, Path]:
    files = {
        "PIP_CONFIG_FILE": [home / ".config/pip/pip.conf", home / ".pip/pip.conf"],
        "UV_CONFIG_FILE": [home / ".config/uv/uv.toml"],
    }
    found = {
        name: next((path for path in paths if path.is_file()), None)
        for name, paths in files.items()
    }
    return {
        name: path for name, path in found.items() if path is not None and name not in os.environ
    }


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment store for each test."""
    store = tmp_path / "envkit-home"
    monkeypatch.setenv("ENVKIT_HOME", str(store))
    return store


def copied(name: str, into: Path) -> FixtureModel:
    """Copy a model of `fixtures/models` into a folder."""
    path = into / name
    shutil.copytree(FIXTURES / name / "model", path)
    expected = json.loads((FIXTURES / name / "expected.json").read_text(encoding="utf-8"))
    return FixtureModel(path=path, expected=expected)


@pytest.fixture
def fixture_model(tmp_path: Path) -> Callable[[str], FixtureModel]:
    """Give a copy of a model of `fixtures/models`, by its name."""
    return lambda name: copied(name, tmp_path)
