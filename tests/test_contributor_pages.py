"""The pages for contributors name files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def named_paths(page: str) -> set[str]:
    """The paths between backquotes; upper-case parts stand for a name of the reader's choice."""
    text = (ROOT / page).read_text(encoding="utf-8")
    paths = re.findall(r"`([\w./-]+/[\w./-]*)`", text)
    return {path for path in paths if not re.search(r"[A-Z]{4}", path) and path[0] not in "./"}


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_a_page_for_contributors_names_files_that_exist(page: str) -> None:
    paths = named_paths(page)

    assert len(paths) >= 10
    for path in paths:
        places = (ROOT / path, ROOT / "envkit" / path, *(ROOT / "envkit").glob(f"*/{path}"))
        assert any(place.exists() for place in places), path


def test_the_architecture_names_every_package() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

    for package in (ROOT / "envkit").iterdir():
        if (package / "__init__.py").exists():
            assert f"`{package.name}/`" in text
