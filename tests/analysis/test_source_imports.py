from __future__ import annotations

import pytest

from envkit.analysis.source_file import SourceFile
from envkit.analysis.source_imports import mentions_in


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
        ("subprocess.run([sys.executable, '-c', 'import a; from b import c'])", ["a", "b.c|b"]),
        ("Popen((sys.executable, '-W', 'ignore', '-m', 'a.b', '-m', 'c'))", ["a.b"]),
        ("os.system('python3.11 -m a x')", ["a"]),
        ("os.system('FLAG=1 make -m a'); os.system('python -c \"')", []),
        ("['grep', '-c', 'import a'], [sys.executable, 'x.py', '-m', 'a']", []),
        (
            "try:\n  import a\nexcept:\n  try:\n    import b\n  except ImportError:\n    import c",
            ["a?", "b?<a", "c<a,b"],
        ),
    ],
)
def test_imports_are_found_with_what_guards_them(code: str, expected: list[str]) -> None:
    found = mentions_in(SourceFile("m.py", code.encode()), "m.py", "pkg.sub")

    shown = [
        "|".join(each.alternatives)
        + ("?" if each.guarded else "")
        + ("<" + ",".join(each.instead_of) if each.instead_of else "")
        for each in found
    ]
    assert shown == expected


def test_an_import_knows_its_line() -> None:
    (found,) = mentions_in(SourceFile("m.py", b"\n\nimport a\n"), "code/m.py")

    assert found.where == "code/m.py:3"


def test_code_that_nests_deeper_than_the_stack_does_no_harm() -> None:
    source = SourceFile("m.py", b"x = " + b"-" * 100_000 + b"1")

    assert mentions_in(source, "m.py") == []
    assert source.problem is not None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "os.environ['A'], os.getenv('B', 'x'), environ.get('C'), 'D' in os.environ",
            ["A!", "B", "C", "D"],
        ),
        ("os.environ['A'] = 'x'; os.environ[name]; {}['E']", []),
        ("class S(BaseSettings):\n  url: str\n  level: int = 1", ["URL!", "LEVEL"]),
        (
            "class S(p.BaseSettings):\n"
            "  model_config = SettingsConfigDict(env_prefix='my_')\n  url: str",
            ["MY_URL!"],
        ),
        (
            "class S(BaseSettings):\n  url: str\n  class Config:\n    env_prefix = 'MY_'",
            ["MY_URL!"],
        ),
        ("class S(BaseModel):\n  url: str", []),
    ],
)
def test_variables_are_found_with_whether_they_are_needed(code: str, expected: list[str]) -> None:
    found = SourceFile("m.py", code.encode()).variables

    assert [each.name + "!" * each.needed for each in found] == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("entry_points(group='g')", [("g", None)]),
        ("metadata.entry_points(group='g', name='n')", [("g", "n")]),
        ("entry_points().select(group='g', name='n')", [("g", "n")]),
        ("pkg_resources.iter_entry_points('g', 'n')", [("g", "n")]),
        ("entry_points()['g']", [("g", None)]),
        ("entry_points().get('g', ())", [("g", None)]),
        ("entry_points(), entry_points(group=name), {}.get('g'), frame.select('g')", []),
    ],
)
def test_groups_of_entry_points_are_found(
    code: str, expected: list[tuple[str, str | None]]
) -> None:
    found = SourceFile("m.py", code.encode()).entry_point_groups

    assert [(each.name, each.entry_point) for each in found] == expected
