from __future__ import annotations

from pathlib import Path

import pytest

from envkit import capture
from envkit.errors import InvalidArgument
from tests.conftest import copied


@pytest.mark.parametrize("limit", [{"timeout": 0}, {"timeout": -1}, {"timeout": float("nan")}, {"memory_bytes": 0}])
def test_a_limit_that_nothing_can_keep_is_refused(tmp_path: Path, limit: dict[str, float]) -> None:
    with pytest.raises(InvalidArgument, match="must be above 0"):
        capture(copied("custom_loader", tmp_path).path, **limit)  # type: ignore[arg-type]
