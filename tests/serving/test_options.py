"""The options of a server."""

from __future__ import annotations

from typing import Any

import pytest

from envkit.errors import InvalidArgument
from envkit.serving.options import ServerOptions


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("workers", 0),
        ("queue", -1),
        ("max_body", 0),
        ("timeout", 0.0),
        ("timeout", float("inf")),
        ("timeout", float("nan")),
    ],
)
def test_a_limit_without_meaning_is_rejected_by_name(option: str, value: Any) -> None:
    with pytest.raises(InvalidArgument, match=f"^{option} must"):
        ServerOptions(**{option: value})


def test_the_least_limits_are_valid() -> None:
    options = ServerOptions(workers=1, queue=0, max_body=1, timeout=0.001)

    assert (options.workers, options.queue, options.max_body) == (1, 0, 1)
