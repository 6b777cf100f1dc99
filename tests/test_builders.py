"""Tests share builders and fixtures, not each other's modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent
SHARED = ("tests.builders", "tests.cases", "tests.flavors.case", "tests.flavors.cases")


def imports(file: Path) -> Iterator[str]:
    """Yield the modules of tests that a file imports, with their absolute names."""
    package = file.relative_to(TESTS.parent).with_suffix("").parts
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level]) if node.level else ""
            yield ".".join(part for part in (base, node.module) if part)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_a_test_imports_builders_and_no_other_test() -> None:
    offenders = [
        f"{file.relative_to(TESTS)} imports {name}"
        for file in sorted(TESTS.rglob("*.py"))
        for name in imports(file)
        if name.partition(".")[0] == "tests" and not name.startswith(SHARED)
    ]

    assert offenders == []
