"""Files of a test, written in one call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.builders.files import Write, write_files


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files below a folder; gives the path of the first one."""

    def write_all(files: Mapping[str, str | bytes]) -> Path:
        return write_files(tmp_path, files) / next(iter(files))

    return write_all
