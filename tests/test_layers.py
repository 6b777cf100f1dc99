"""Who may import whom. The table below is the picture of envkit; this test holds the code to it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "envkit"

ORDER = (  # from the bottom up: each may import itself and what stands before it
    "errors",
    "inside",
    "formats",
    "models",
    "child",
    "interpreters",
    "installed",
    "locking",
    "analysis",
    "environments",
    "capturing",
    "validating",
    "serving",
    "spark",
    "images",
    "exports",
    "pyfunc",
    "flavors",
    "cli",
    "__main__",
)
STRANGERS = {  # although the order would allow it
    ("capturing", "environments"),  # they share the environment spec, not each other
    ("validating", "capturing"),  # it takes plain values
    ("serving", "validating"),
    ("spark", "validating"),
    ("spark", "serving"),
    ("flavors", "cli"),
    ("images", "capturing"),
    ("images", "validating"),
    ("images", "spark"),
    ("exports", "capturing"),
    ("exports", "validating"),
    ("exports", "spark"),
}
MAY_IMPORT = {
    layer: {below for below in ORDER[:place] if (layer, below) not in STRANGERS}
    for place, layer in enumerate(ORDER)
} | {
    "inside": set[
        str
    ](),  # and of others the standard library alone: it runs where nothing is installed
    "formats": {"errors"},
    "__init__": set(ORDER) - {"cli", "__main__"},  # for type checkers only; loaded when first used
}
PUBLIC = {"__init__.py", "images/__init__.py", "models/__init__.py", "pyfunc/__init__.py"}
"""Public namespaces: they name, for type checkers, what they give of any layer.

Nothing in envkit imports one.
"""
# Programs that envkit's own interpreter runs, and their libraries.
LIBRARIES_OF_PROGRAMS = {
    "inside/programs/pip_candidates.py": {"packaging", "piptools"},
    "inside/programs/rattler_program.py": {"rattler"},
}
OWN_NAME_INSIDE = "_envkit"  # of the folder `inside`, in the interpreters that run it
TOP = {"cli", "exports", "images", "serving", "spark"}
ONLY_IN = {  # libraries, and the layers that may know them
    "click": {"cli"},
    "rich": {"cli"},
    **dict.fromkeys(
        ("aiohttp", "fastapi", "flask", "httpx", "requests", "starlette", "uvicorn"), TOP
    ),
    "pyspark": {"spark", "models"},  # `Schema.as_spark_schema` is a method of MLflow's
    "yaml": {"formats"},
    "subprocess": {"child"},
    "multiprocessing": {"child"},
    "pty": {"child"},
}
STARTS_A_PROCESS = re.compile(
    r"(exec|spawn|posix_spawn)(l|v|p|e)*|system|popen|fork|forkpty|create_subprocess_\w+"
)


@dataclass(frozen=True)
class Import:
    line: int
    module: str  # `envkit.child.process`, `yaml`, `os.system`
    at_run_time: (
        bool  # when the importing module is imported, not in a function and not for type checkers
    )
    by_name: bool = (
        False  # not by an import statement, but by its literal name given to `import_module`
    )


def imports(path: Path, root: Path) -> Iterator[Import]:
    """Yield what a file imports, wherever in it, and what it names literally to `import_module`."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    parts = path.relative_to(root.parent).with_suffix("").parts
    package = parts[:-1]
    yield from _imports(tree, package, root, at_run_time=True)


def _imports(
    node: ast.AST, package: tuple[str, ...], root: Path, *, at_run_time: bool
) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(node.lineno, alias.name, at_run_time) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (Import(node.lineno, name, at_run_time) for name in _from(node, package, root))
    elif (
        isinstance(node, ast.Call)
        and _called(node) in {"import_module", "__import__"}
        and node.args
    ):
        yield from (
            Import(node.lineno, name, at_run_time, by_name=True) for name in _literal(node.args[0])
        )
    for field, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        later = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        later |= (
            isinstance(node, ast.If)
            and field == "body"
            and "TYPE_CHECKING" in ast.unparse(node.test)
        )
        for child in children:
            if isinstance(child, ast.AST):
                yield from _imports(child, package, root, at_run_time=at_run_time and not later)


def _from(node: ast.ImportFrom, package: tuple[str, ...], root: Path) -> Iterator[str]:
    """Name the module or submodules that `from … import …` means; `os.system` for a member."""
    if node.level > len(package):
        yield "." * node.level + (node.module or "")
        return
    base = package[: len(package) - node.level + 1] if node.level else ()
    module = ".".join([*base, *([node.module] if node.module else [])])
    yield from (f"{module}.{alias.name}" for alias in node.names)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _literal(argument: ast.expr) -> Iterator[str]:
    first = argument.values[0] if isinstance(argument, ast.JoinedStr) else argument
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        yield first.value.rstrip(".")


def process_starts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each use of `os.fork` and the like, under whatever name `os` has."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name in {"os", "posix", "asyncio"}
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in names
        ):
            if STARTS_A_PROCESS.fullmatch(node.attr):
                yield node.lineno, f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module in {"os", "posix", "asyncio"}:
            for alias in node.names:
                if STARTS_A_PROCESS.fullmatch(alias.name):
                    yield node.lineno, f"{node.module}.{alias.name}"


def layer_of(module: str, root: Path) -> str:
    """Give the layer of a module: the name below the root, or `__init__` for the root itself."""
    name = [*module.split("."), "", ""][1]
    known = (root / name).is_dir() or (root / f"{name}.py").is_file()
    return name if name and known else "__init__"


def violations(root: Path) -> Iterator[str]:
    """Yield each breach of the table, as `file:line: what`."""
    for path in sorted(root.rglob("*.py")):
        inner = path.relative_to(root)
        layer = inner.parts[0].removesuffix(".py")
        if layer not in MAY_IMPORT:
            yield f"{inner}: `{layer}` has no place in the table"
            continue
        for each in imports(path, root):
            if (
                inner.as_posix() in PUBLIC
                and not each.at_run_time
                and layer_of(each.module, root) != "cli"
            ):
                continue
            if each.module.partition(".")[0] in LIBRARIES_OF_PROGRAMS.get(inner.as_posix(), ()):
                continue
            if problem := _problem(each, layer, root):
                yield f"{inner}:{each.line}: {problem}"
        if layer not in {"child", "inside"}:  # inside watches them
            yield from (
                f"{inner}:{line}: {name} belongs into child" for line, name in process_starts(path)
            )


def _problem(each: Import, layer: str, root: Path) -> str:
    top, _, rest = each.module.partition(".")
    if top == root.name:
        return _problem_within(each, layer, rest, root)
    if layer == "inside":
        known = top in sys.stdlib_module_names or top == OWN_NAME_INSIDE
        # by name it loads what the model is made with, xgboost or pandas: the model's need, not its
        # own
        return "" if known or each.by_name else f"inside must do without {top}"
    if layer == "__init__" and each.at_run_time and top != "__future__" and top != "typing":
        return f"`import {root.name}` must not import {top}"
    allowed = ONLY_IN.get(top)
    return (
        f"{top} belongs into {', '.join(sorted(allowed))}"
        if allowed and layer not in allowed
        else ""
    )


def _problem_within(each: Import, layer: str, rest: str, root: Path) -> str:
    target = layer_of(each.module, root)
    if layer == "__init__" and each.at_run_time:
        return f"`import {root.name}` must not import {each.module}"
    if layer == "inside" and target != layer:
        return f"inside must not know {each.module}"
    if target == "__init__":
        return f"{each.module} comes from the public root" if rest and rest != "__file__" else ""
    if target == layer or target in MAY_IMPORT[layer]:
        return ""
    return f"{layer} must not know {target} ({each.module})"


def circles(root: Path) -> list[tuple[str, ...]]:
    """Find the groups of files that import each other, directly or in a circle."""
    modules = {_module_of(path, root): path for path in sorted(root.rglob("*.py"))}
    graph = {
        path.relative_to(root).as_posix(): sorted(
            {
                target.relative_to(root).as_posix()
                for each in imports(path, root)
                if (
                    target := modules.get(each.module)
                    or modules.get(each.module.rpartition(".")[0])
                )
                and target != path
                and target.relative_to(root).as_posix() not in PUBLIC
            }
        )
        for path in modules.values()
    }
    return [group for group in _strongly_connected(graph) if len(group) > 1]


def _module_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _strongly_connected(graph: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Group the nodes that reach each other."""
    reached = {node: _reachable(node, graph) for node in graph}
    groups = {
        tuple(sorted({node} | {o for o in reached[node] if node in reached[o]})) for node in graph
    }
    return sorted(groups)


def _reachable(start: str, graph: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for node in graph[waiting.pop()]:
            if node not in found:
                found.add(node)
                waiting.append(node)
    return found


def test_every_import_follows_the_table() -> None:
    found = list(violations(PACKAGE))

    assert not found, "\n".join(found)


def test_no_files_import_each_other() -> None:
    assert circles(PACKAGE) == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A package of the real one's shape in which nothing is wrong."""
    root = tmp_path / "envkit"
    sound = {
        "__init__.py": "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from envkit.models import model\n",
        "errors.py": "class EnvkitError(Exception): ...\n",
        "formats/document.py": "import yaml\nfrom envkit.errors import EnvkitError\n",
        "models/__init__.py": "TYPE_CHECKING = False\n"
        "if TYPE_CHECKING:\n    from envkit.environments import store\n",
        "models/model.py": "from envkit.formats import document\n",
        "child/process.py": "import os, subprocess\nimport envkit\nos.fork\n",
        "capturing/trace.py": "from envkit.child.process import run\n",
        "environments/store.py": "from ..child import process\n",
        "cli/main.py": "import click\nfrom envkit.capturing import trace\n",
        "inside/__main__.py": "import json\nfrom . import loaders\nfrom .loaders import sklearn\n",
        "inside/loaders/sklearn.py": "import os, importlib\nfrom _envkit import jobs\n"
        "from ..loaders import other\nos.fork\ndef load():\n"
        "    importlib.import_module('xgboost')\n",
    }
    for name, text in sound.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_a_sound_tree_has_no_violations(tree: Path) -> None:
    assert list(violations(tree)) == []
    assert circles(tree) == []


@pytest.mark.parametrize(
    "line",
    [
        "from envkit.models import model",
        "from envkit.models.model import Model",
        "import envkit.models.model",
        "def later():\n    from envkit.models.model import Model",
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from envkit.models.model import Model",
        "from importlib import import_module\nimport_module('envkit.models.model')",
    ],
)
def test_a_circle_of_files_is_found_wherever_the_import_stands(tree: Path, line: str) -> None:
    (tree / "formats" / "document.py").write_text(line + "\n", encoding="utf-8")

    assert circles(tree) == [("formats/document.py", "models/model.py")]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("errors.py", "from envkit.formats import document"),
        ("formats/document.py", "import envkit.models.model"),
        ("models/__init__.py", "from envkit.environments import store"),
        ("models/__init__.py", "if TYPE_CHECKING:\n    from envkit.cli import main"),
        ("models/model.py", "if TYPE_CHECKING:\n    from envkit.environments import store"),
        ("models/model.py", "import yaml"),
        ("models/model.py", "from yaml import safe_load"),
        ("models/model.py", "from envkit import child"),
        ("models/model.py", "from envkit import capture"),
        ("models/model.py", "from ..child import process"),
        ("models/model.py", "from .. import child"),
        ("models/model.py", "def later():\n    from envkit.capturing import trace"),
        (
            "models/model.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import envkit.cli.main",
        ),
        ("models/model.py", "import importlib\nimportlib.import_module('envkit.cli.main')"),
        (
            "models/model.py",
            "from importlib import import_module\nimport_module(f'envkit.cli.{1}')",
        ),
        ("models/model.py", "try:\n    import subprocess\nexcept ImportError: ..."),
        ("models/model.py", "import os as system\nsystem.execvpe('a', [], {})"),
        ("models/model.py", "from os import posix_spawn"),
        ("models/model.py", "import asyncio\nasyncio.create_subprocess_exec('a')"),
        ("capturing/trace.py", "from envkit.environments import store"),
        ("environments/store.py", "from envkit.capturing import trace"),
        ("environments/store.py", "import requests"),
        ("environments/store.py", "import rich.console"),
        ("capturing/trace.py", "import os\nos.system('true')"),
        ("child/process.py", "from envkit.capturing import trace"),
        ("inside/__main__.py", "import packaging"),
        ("inside/__main__.py", "def later():\n    import yaml"),
        ("inside/__main__.py", "import envkit"),
        ("inside/__main__.py", "import importlib\nimportlib.import_module('envkit.errors')"),
        ("inside/__main__.py", "from envkit.errors import EnvkitError"),
        ("inside/__main__.py", "from .. import errors"),
        ("inside/loaders/sklearn.py", "from ... import errors"),
        ("inside/loaders/sklearn.py", "from .... import errors"),
        ("__init__.py", "import click"),
        ("__init__.py", "import json"),
        ("__init__.py", "from envkit.errors import EnvkitError"),
        ("__init__.py", "def later():\n    from envkit.cli import main"),
        ("helpers/text.py", "import json"),
        ("utils.py", ""),
    ],
)
def test_a_violation_anywhere_in_a_file_is_found(tree: Path, file: str, line: str) -> None:
    path = tree / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")

    found = list(violations(tree))

    assert len(found) == 1, found
    assert found[0].startswith(file)
