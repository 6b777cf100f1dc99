"""Settings of installers, made for a test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def use_only_index(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Make `folder/simple` the only index of uv and pip; gives the folder."""
    simple = folder / "simple"
    simple.mkdir(parents=True)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX"):
        patch.delenv(name, raising=False)
    patch.setenv("PIP_CONFIG_FILE", os.devnull)
    patch.setenv("UV_DEFAULT_INDEX", simple.as_uri())
    patch.setenv("PIP_INDEX_URL", simple.as_uri())
    return folder
