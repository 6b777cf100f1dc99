"""A spec to build, and the folder of the environment store."""

from __future__ import annotations

from pathlib import Path

import pytest

from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.environment_specs import alpha_spec


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of the environment store; it does not exist yet."""
    return tmp_path / "store"


@pytest.fixture
def spec(tmp_path: Path) -> EnvironmentSpec:
    """A spec of `alpha`, which requires `beta`."""
    return alpha_spec((tmp_path / "model").resolve())
