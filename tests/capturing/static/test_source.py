from __future__ import annotations

import contextlib

import pytest

from envkit.capturing.static.source import mentions


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import a.b, c as d", ["a.b", "c"]),
        ("from a import b", ["a.b|a"]),
        ("from a import *", ["a"]),
        ("from . import b", ["pkg.sub.b|pkg.sub"]),
        ("from .b import c", ["pkg.sub.b.c|pkg.sub.b"]),
        ("from ..b import c", ["pkg.b.c|pkg.b"]),
        ("from ....b import c", []),
        ("def f():\n  if x:\n    import a", ["a"]),
        ("import importlib\nimportlib.import_module('a.b')", ["importlib", "a.b"]),
        ("import_module(name)", []),
        ("import_module('.a', 'b')", []),
        ("__import__('a')", ["a"]),
        ("files('a.data')", ["a.data?"]),
        ("if TYPE_CHECKING:\n  import a\nelse:\n  import b", ["b"]),
        ("if typing.TYPE_CHECKING:\n  import a", []),
        ("if __name__ == '__main__':\n  import a", []),
        ("try:\n  import a\nexcept ImportError:\n  a = None", ["a?"]),
        ("try:\n  import a\nexcept (KeyError, ModuleNotFoundError):\n  import b", ["a?", "b<a"]),
        ("try:\n  import a\nexcept ValueError:\n  import b", ["a", "b"]),
        ("with suppress(ImportError):\n  import a", ["a?"]),
        (
            "try:\n  import a\nexcept:\n  try:\n    import b\n  except ImportError:\n    import c",
            ["a?", "b?<a", "c<a,b"],
        ),
    ],
)
def test_imports_are_found_with_what_guards_them(code: str, expected: list[str]) -> None:
    found = mentions(code.encode(), "m.py", "pkg.sub")

    shown = [
        "|".join(each.alternatives)
        + ("?" if each.guarded else "")
        + ("<" + ",".join(each.instead_of) if each.instead_of else "")
        for each in found
    ]
    assert shown == expected


def test_an_import_knows_its_line() -> None:
    (found,) = mentions(b"\n\nimport a\n", "code/m.py")

    assert found.where == "code/m.py:3"


def test_code_that_nests_deeper_than_the_stack_does_no_harm() -> None:
    with contextlib.suppress(SyntaxError, RecursionError, MemoryError):
        list(mentions(b"x = " + b"-" * 100_000 + b"1", "m.py"))
