"""A source file answers questions about its code, and is parsed once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from envkit.analysis import source_file
from envkit.analysis.source_file import SourceFile, SourceFiles


def source(code: str) -> SourceFile:
    return SourceFile("m.py", code.encode())


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of all that is parsed."""
    lengths: list[int] = []
    parse = ast.parse

    def recording(content: bytes) -> ast.Module:
        lengths.append(len(content))
        return parse(content)

    monkeypatch.setattr(ast, "parse", recording)
    return lengths


def test_a_file_is_parsed_once_for_all_questions(tmp_path: Path, parsed: list[int]) -> None:
    path = tmp_path / "m.py"
    path.write_text("import a\nx = 'text'\n")
    files = SourceFiles()

    assert [found.module for found in files.file(path).imports] == ["a"]
    assert files.file(str(path)).texts == {"text"}
    assert files.file(path).problem is None
    assert len(parsed) == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"print 'Python 2'", "it cannot be parsed as Python"),
        (b"\x7fELF\0", "it cannot be parsed as Python"),
        (b"\xff = 1", "it cannot be parsed as Python"),
        (None, "it cannot be read (No such file or directory)"),
    ],
)
def test_a_file_that_cannot_be_parsed_has_no_content(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    path = tmp_path / "m.py"
    if content is not None:
        path.write_bytes(content)

    found = SourceFile(path)

    assert (found.problem or "").startswith(problem)
    assert not found.imports
    assert not found.texts
    assert not found.importing_calls


def test_an_invalid_escape_is_neither_a_problem_nor_a_warning() -> None:
    found = source("import re\nre.compile('\\d')\n")

    assert found.problem is None
    assert found.texts == {"\\d"}


def test_the_modules_imported_at_a_line_are_top_level_ones() -> None:
    found = source("import a.b, c\nfrom d.e import f\nfrom . import g\nimport h; import i\nx = 1\n")

    assert found.imported_at == {1: {"a", "c"}, 2: {"d"}, 3: {""}, 4: {"h", "i"}}


def test_only_statements_in_no_other_are_unconditional() -> None:
    found = source("import a.b\nfrom c import d\nfrom . import e\nif x:\n    import f\n")

    assert found.unconditional_imports == {"a.b": 1, "c": 2, "c.d": 2}


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("import_module(name)", {1}),
        ("importlib.import_module(\n    name,\n)", {1, 2, 3}),
        ("x = [plugin.load() for plugin in all]", {1}),
        ("from importlib import import_module", set()),
        ("import_module\nopen(name)\nfunctions[0](name)", set()),
    ],
)
def test_calls_that_may_import_what_they_name_are_found(code: str, lines: set[int]) -> None:
    assert source(code).importing_calls == lines


GUARDS = """
try:
    import a
except ImportError:
    import b
else:
    import c

def f():
    text = '''
try:
'''
    with suppress(ImportError):
        import d
    import e

try:
    import g
except ValueError:
    pass
@decorated
def h(): import i
"""
GUARDED = {2: True, 3: True, 5: False, 7: False, 14: True, 15: False, 18: False, 22: False}


@pytest.mark.parametrize(
    ("before", "test", "guarded"),
    [
        ("", "find_spec('a')", True),
        ("", "importlib.util.find_spec('a') is not None", True),
        ("HAS_A = find_spec('a') is not None", "HAS_A", True),
        ("HAS_A: bool = bool(find_spec('a'))", "HAS_A and x", True),
        ("def has_a():\n    return find_spec('a') is not None", "has_a()", True),
        (
            "_a_available = find_spec('a')\ndef is_a_available(): return _a_available",
            "is_a_available()",
            True,
        ),
        (
            "try:\n    import a\n    has_a = True\nexcept ImportError:\n    has_a = False",
            "has_a",
            True,
        ),
        (
            "try:\n    import a\nexcept ImportError:\n    has_a = False\nelse:\n    has_a = True",
            "has_a",
            True,
        ),
        (
            "def has_a():\n    try:\n        import a\n        return True\n"
            "    except ImportError:\n        return False",
            "has_a()",
            True,
        ),
        ("from .checks import is_a_available", "is_a_available()", True),
        ("from .checks import HAS_A", "HAS_A", True),
        ("from . import checks", "checks.HAS_A", True),
        ("from . import checks", "checks.is_a_available()", True),
        ("", "has_data", False),
        ("has_data = len(rows) > 0", "has_data", False),
        ("HAS_DATA = True", "HAS_DATA", False),
        ("def has_data(): return True", "has_data()", False),
        ("def is_a_available(): return True", "is_a_available()", False),
        ("try:\n    has_data = int(x)\nexcept ValueError:\n    has_data = 0", "has_data", False),
        ("try:\n    has_data = f(x)\nexcept Exception:\n    has_data = 0", "has_data", False),
        ("from .rows import has_data", "has_data()", False),
        ("", "self.has_data", False),
        ("", "self.is_a_available()", False),
    ],
)
@pytest.mark.parametrize("padding", [0, source_file.LONG])
def test_a_condition_guards_only_if_it_is_bound_to_a_presence(
    before: str, test: str, guarded: bool, padding: int
) -> None:
    code = f"{before}\nif {test}:\n    import a\n"
    line = code.count("\n")

    assert source(code + "#" * padding).is_import_guarded(line) is guarded


@pytest.mark.parametrize("padding", [0, source_file.LONG])
@pytest.mark.parametrize("line", GUARDED)
def test_a_guard_is_found_in_long_files_as_in_short_ones(line: int, padding: int) -> None:
    found = source(GUARDS + "#" * padding)

    assert found.is_import_guarded(line) is GUARDED[line]


def test_of_a_long_file_only_the_block_around_a_guarded_import_is_parsed(
    parsed: list[int],
) -> None:
    assert source(GUARDS + "x = 1\n" * source_file.LONG).is_import_guarded(3)
    assert parsed == [len(GUARDS.partition("def")[0])]


def test_the_standard_library_has_the_same_guards_read_whole_or_by_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = [Path(module.__file__ or "") for module in (ast, pytest, source_file)]
    paths += sorted(Path(ast.__file__).parent.glob("*.py"))
    for path in paths:
        whole = SourceFile(path)
        expected = {line: whole.is_import_guarded(line) for line in whole.imported_at}
        with monkeypatch.context() as patch:
            patch.setattr(source_file, "LONG", 0)
            blocks = {line: SourceFile(path).is_import_guarded(line) for line in expected}

        assert blocks == expected, path


def test_a_needed_variable_is_one_whose_absence_no_code_handles() -> None:
    found = source(
        "os.environ['A']\ntry:\n    os.environ['B']\nexcept KeyError:\n    pass\nos.getenv('C')\n"
    )

    needed = {variable.name: variable.needed for variable in found.variables}
    assert needed == {"A": True, "B": False, "C": False}
