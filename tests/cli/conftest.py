"""An index that the installers know alone, and a model with its own code."""

from __future__ import annotations

from pathlib import Path

import pytest

from envkit.capturing import capture as capturing
from envkit.locking.lock import Unlocked
from tests.builders.installer_settings import use_only_index
from tests.builders.model_case import ModelCase
from tests.builders.sites import Site


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the only index that uv and pip know."""
    return use_only_index(tmp_path / "index", monkeypatch)


@pytest.fixture
def case(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> ModelCase:
    """A model that imports from the site folder; no lock is made."""
    monkeypatch.setenv("PYTHONPATH", str(site.folder))
    unlocked = Unlocked(reasons=("no network in tests",))
    monkeypatch.setattr(capturing, "lock", lambda *_, **__: unlocked)
    return ModelCase(tmp_path / "model", site)
