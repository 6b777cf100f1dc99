"""The sources of the programs that run in other interpreters."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.builders.inside_bench import PROGRAM

SOURCES = sorted(PROGRAM.parent.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROGRAM.parent)))
def test_every_source_is_python_3_8(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))

    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert (
        "__future__" in names
        or path.name in ("__main__.py", "describe_python.py")  # without annotations
        or not list(ast.iter_child_nodes(tree))[1:]
    )


def test_the_protocol_names_every_event() -> None:
    protocol = ast.get_docstring(ast.parse(PROGRAM.read_text(encoding="utf-8"))) or ""
    events = {
        str(node.value)
        for path in SOURCES
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for node in _events(call)
    }

    assert {"module", "import", "phase", "done", "error", "variable", "prediction"} <= events
    assert {name for name in events if f"\n    {name} " not in protocol} == set()


def _events(node: ast.AST) -> list[ast.Constant]:
    """The names that stand as `event=…` in a call or as `"event": …` in a literal."""
    values: list[ast.expr] = []
    if isinstance(node, ast.Call):
        values = [keyword.value for keyword in node.keywords if keyword.arg == "event"]
    elif isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        values = [
            value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "event"
        ]
    return [value for value in values if isinstance(value, ast.Constant)]
