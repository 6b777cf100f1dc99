"""Digests say whether a model changed after its capture, not what the capture itself wrote."""

from __future__ import annotations

from typing import Any

import pytest

from envkit.models.digests import of_mlmodel

SECTION = {"loader_module": "lz"}


@pytest.mark.parametrize(
    "written",
    [
        {"env_vars": ["A"]},
        {"flavors": {"python_function": {**SECTION, "env": {"conda": "conda.yaml"}}}},
        {"flavors": {"python_function": {**SECTION, "code": "code"}}},
    ],
)
def test_what_a_capture_writes_does_not_change_the_digest(written: dict[str, Any]) -> None:
    before = {"flavors": {"python_function": SECTION}}

    assert of_mlmodel({**before, **written}) == of_mlmodel(before)


def test_any_other_key_changes_the_digest() -> None:
    before = {"flavors": {"python_function": SECTION}}

    assert of_mlmodel({**before, "signature": {}}) != of_mlmodel(before)
