from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.builders.environment_files import environment_files_model


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Make a model of these files, `name.extension` as the keyword `name__extension`."""
    return partial(environment_files_model, tmp_path)
