"""Fixtures of all tests: their own home and environment store, fixture models, a site."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.builders.conda_channel import CondaChannel, NoChannel, shared_channel
from tests.builders.fixture_models import FixtureModel, copy_fixture_model
from tests.builders.sites import Site, make_site


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests that take minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the slow tests unless `--slow` is passed, whatever else is selected."""
    if not config.getoption("--slow"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """Let the programs that tests start receive SIGINT.

    A shell that starts pytest in the background makes it ignore SIGINT, and children inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the tests a home of their own.

    Neither the user's store nor the user's settings are read or written. The settings by which pip
    and uv find packages are passed on by name: they depend on the machine.
    """
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name, file in _installer_settings(Path.home()).items():
            patch.setenv(name, str(file))
        # pyenv is often installed in the home, and its interpreters are needed.
        pyenv = Path.home() / ".pyenv"
        if "PYENV_ROOT" not in os.environ and pyenv.is_dir():
            patch.setenv("PYENV_ROOT", str(pyenv))
        patch.setenv("HOME", str(home))
        for name in ("CACHE", "CONFIG", "DATA", "STATE"):
            patch.delenv(f"XDG_{name}_HOME", raising=False)
        patch.setenv("ENVKIT_HOME", str(home / "envkit"))
        # Otherwise uv looks for each missing interpreter on the network.
        patch.setenv("UV_PYTHON_DOWNLOADS", "never")
        yield home


def _installer_settings(home: Path) -> dict[str, Path]:
    """Give the settings files of installers that lie in a home, by the variable that names each."""
    candidates = {
        "PIP_CONFIG_FILE": [home / ".config/pip/pip.conf", home / ".pip/pip.conf"],
        "UV_CONFIG_FILE": [home / ".config/uv/uv.toml"],
    }
    settings = {}
    for name, paths in candidates.items():
        existing = [path for path in paths if path.is_file()]
        if existing and name not in os.environ:
            settings[name] = existing[0]
    return settings


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an environment store of its own."""
    store = tmp_path / "envkit-home"
    monkeypatch.setenv("ENVKIT_HOME", str(store))
    return store


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all worker processes of one test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture
def fixture_model(tmp_path: Path) -> Callable[[str], FixtureModel]:
    """Copy a model of `fixtures/models`, by its name."""
    return lambda name: copy_fixture_model(name, tmp_path)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty `site-packages` folder."""
    return make_site(tmp_path / "env")


@pytest.fixture(scope="session")
def conda_channel(shared: Path) -> CondaChannel:
    """The conda channel, one for all worker processes."""
    folder = shared / "conda-channel"
    with FileLock(f"{folder}.lock"):
        try:
            return shared_channel(folder)
        except NoChannel as problem:
            pytest.skip(str(problem))
