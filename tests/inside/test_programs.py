"""Programs that run alone in another interpreter: Python 3.8's syntax, and its standard library."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from envkit.inside import programs
from envkit.inside.programs import describe_python
from envkit.interpreters.interpreter import OLDEST
from tests.builders.interpreters import interpreter

FOLDER = Path(programs.__file__).resolve().parent
IN_ENVKITS_OWN_INTERPRETER = {  # with the libraries that they may import
    "pip_candidates.py": {"packaging", "piptools"},
    "rattler_program.py": {"rattler"},
}
PROGRAMS = sorted(path.name for path in FOLDER.glob("*.py") if path.name != "__init__.py")
ELSEWHERE = [name for name in PROGRAMS if name not in IN_ENVKITS_OWN_INTERPRETER]


@pytest.fixture
def python_3_8() -> str:
    program = interpreter("3.8")
    if program is None:
        pytest.skip("Python 3.8 is not on this machine")
    return program


def tree(name: str, version: tuple[int, int]) -> ast.Module:
    return ast.parse((FOLDER / name).read_text(encoding="utf-8"), name, feature_version=version)


def imported(name: str) -> set[str]:
    """The top-level modules that a program imports, wherever in it."""
    modules: set[str] = set()
    for node in ast.walk(tree(name, (3, 11))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports from its own package"
            modules.add(str(node.module).partition(".")[0])
    return modules


def test_the_programs_are_those_that_this_file_knows() -> None:
    assert PROGRAMS == [
        "compile_bytecode.py",
        "describe_python.py",
        "healthcheck.py",
        "keep_bytecode.py",
        "pip_candidates.py",
        "rattler_program.py",
        "relocation.py",
        "supervisor.py",
    ]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_program_has_the_syntax_of_python_3_8(name: str) -> None:
    tree(name, (3, 8))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_imports_only_the_standard_library(name: str) -> None:
    others = imported(name) - set(sys.stdlib_module_names)

    assert others <= IN_ENVKITS_OWN_INTERPRETER.get(name, set())


@pytest.mark.parametrize("name", ELSEWHERE)
def test_python_3_8_imports_a_program(name: str, python_3_8: str) -> None:
    """What is evaluated when functions are defined, as annotations are, also suits Python 3.8."""
    code = f"import runpy; runpy.run_path({str(FOLDER / name)!r}, run_name='program')"

    subprocess.run([python_3_8, "-I", "-W", "error", "-c", code], check=True)


def test_the_description_is_complete_for_every_python_that_envkit_runs_in() -> None:
    assert describe_python.OLDEST == OLDEST


def test_the_description_keeps_to_what_python_2_reads() -> None:
    """An old Python must say how old it is in place of reporting a syntax error."""
    program = tree("describe_python.py", (3, 4))

    assert (FOLDER / "describe_python.py").read_bytes().isascii()
    for node in ast.walk(program):
        assert not isinstance(node, (ast.JoinedStr, ast.AnnAssign, ast.Nonlocal, ast.YieldFrom))
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            assert node.returns is None
            assert not arguments.kwonlyargs
            assert not any(argument.annotation for argument in arguments.args)


def test_python_3_8_describes_itself(python_3_8: str) -> None:
    output = subprocess.check_output([python_3_8, "-I", FOLDER / "describe_python.py"], text=True)

    assert json.loads(output.splitlines()[-1])["markers"]["python_version"] == "3.8"


def test_python_3_8_relocates_an_environment(python_3_8: str, tmp_path: Path) -> None:
    records = tmp_path / "conda-meta"
    records.mkdir()
    (tmp_path / "script").write_text("#!/old/place/bin/python\n")
    entry = {"_path": "script", "prefix_placeholder": "/old/place", "file_mode": "text"}
    record = {"paths_data": {"paths": [entry]}}
    (records / "package.json").write_text(json.dumps(record))
    shutil.copy(FOLDER / "relocation.py", records)

    subprocess.run([python_3_8, "-I", records / "relocation.py"], check=True)

    assert (tmp_path / "script").read_text() == f"#!{tmp_path.resolve()}/bin/python\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="supervision needs Linux")
def test_python_3_8_supervises_a_program(python_3_8: str) -> None:
    supervisor = [python_3_8, "-I", "-S", str(FOLDER / "supervisor.py"), str(os.getpid())]

    for code, status in {"import sys; sys.exit(7)": 7, "import os; os.abort()": -6}.items():
        ended = subprocess.run([*supervisor, python_3_8, "-c", code], check=False)
        assert ended.returncode == status
