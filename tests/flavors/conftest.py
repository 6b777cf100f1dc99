"""The flavor under test, whose library is installed; see `scripts/test-flavors`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flavors.case import FLAVOR, cases_of

outcomes: dict[str, dict[str, str]] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each case of the flavor."""
    if "case" in metafunc.fixturenames:
        cases = cases_of(FLAVOR) if FLAVOR else []
        metafunc.parametrize("case", cases, ids=[case.name for case in cases], scope="module")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip these tests if no flavor is named."""
    out = [item for item in items if item.get_closest_marker("flavors") and not FLAVOR]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


@pytest.fixture(autouse=True)
def own_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The store of `scripts/test-flavors`, whose downloads all flavors share."""
    store = Path(os.environ.get("ENVKIT_TEST_STORE") or tmp_path / "envkit-home")
    monkeypatch.setenv("ENVKIT_HOME", str(store))
    return store


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Record the outcome of each test."""
    result: Any = yield
    report = result.get_result()
    if report.when == "call" or (report.when == "setup" and not report.passed):
        case = getattr(item, "callspec", None)
        name = case.id if case else ""
        outcomes.setdefault(name, {})[getattr(item, "originalname", item.name)] = report.outcome


def pytest_sessionfinish() -> None:
    """Write the outcomes to the file that `scripts/test-flavors` names."""
    target = os.environ.get("ENVKIT_TEST_OUTCOMES")
    if target:
        Path(target).write_text(json.dumps(outcomes), encoding="utf-8")
