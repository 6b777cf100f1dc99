"""Bytecode that the parent writes for confined models: of recorded files, whatever they report."""

from __future__ import annotations

import json
import py_compile
import sys
from pathlib import Path
from typing import Any

import pytest

from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.workers import Workplace

SITE = "lib/python3.11/site-packages"


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment with a package `victim`, of which one file is in no record."""
    path = tmp_path / "environment"
    package = path / SITE / "victim"
    package.mkdir(parents=True)
    for name in ("__init__", "module", "unrecorded"):
        (package / f"{name}.py").write_text("x = 1\n")
    info = path / SITE / "victim-1.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("victim/__init__.py,,\nvictim/module.py,,\n../../../../out.py,,\n")
    (tmp_path / "out.py").write_text("x = 1\n")
    return Environment(python=Path(sys.executable), path=path, key="k", manager=EnvType.UV)


def keep(environment: Environment, reported: Any) -> None:
    """Have the parent hear of files, as it does in the `ready` message of a worker."""
    Workplace(environment=environment, request={}).keep_bytecode(reported)


def compiled(folder: Path) -> list[str]:
    return sorted(path.name.partition(".")[0] for path in folder.rglob("*.pyc"))


def test_recorded_files_are_compiled(environment: Environment, tmp_path: Path) -> None:
    package = environment.path / SITE / "victim"
    keep(environment, [str(package / "module.py")])

    (written,) = tmp_path.rglob("*.pyc")
    py_compile.compile(str(package / "module.py"), cfile=str(tmp_path / "expected"))
    assert written == package / "__pycache__" / f"module.{sys.implementation.cache_tag}.pyc"
    assert written.read_bytes() == (tmp_path / "expected").read_bytes()


def test_a_file_that_does_not_compile_leaves_the_others(environment: Environment) -> None:
    package = environment.path / SITE / "victim"
    (package / "__init__.py").write_text("x =")
    keep(environment, [str(package / "__init__.py"), str(package / "module.py")])

    assert compiled(environment.path) == ["module"]


def test_paths_through_links_of_the_environment_are_known(
    environment: Environment, tmp_path: Path
) -> None:
    (environment.path / "lib64").symlink_to("lib")
    keep(
        environment, [str(environment.path / SITE.replace("lib", "lib64", 1) / "victim/module.py")]
    )
    assert compiled(environment.path) == ["module"]

    (tmp_path / "link").symlink_to(environment.path)
    linked = Environment(
        python=environment.python, path=tmp_path / "link", key="k", manager=EnvType.UV
    )
    keep(linked, [str(linked.path / SITE / "victim" / "__init__.py")])
    assert compiled(environment.path) == ["__init__", "module"]


def test_what_a_virtual_environment_brings_itself_is_compiled(environment: Environment) -> None:
    own = environment.path / SITE / "_virtualenv.py"
    own.write_text("x = 1\n")
    keep(environment, [str(own)])

    assert compiled(environment.path) == ["_virtualenv"]


def test_files_of_conda_packages_are_compiled(environment: Environment) -> None:
    for name in ("lib/python3.11/this.py", "lib/python3.11/that.py"):
        (environment.path / name).write_text("x = 1\n")
    meta = environment.path / "conda-meta"
    meta.mkdir()
    record = {
        "name": "python",
        "version": "3.11.7",
        "files": ["lib/python3.11/this.py", "../out.py"],
    }
    (meta / "python-3.11.7-0.json").write_text(json.dumps(record))
    paths = ("lib/python3.11/this.py", "lib/python3.11/that.py", "../out.py")
    keep(environment, [f"{environment.path}/{path}" for path in paths])

    assert compiled(environment.path.parent) == ["this"]


@pytest.mark.parametrize(
    "separator", ["\r", "\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"]
)
def test_a_line_break_in_a_path_plants_no_bytecode(
    environment: Environment, tmp_path: Path, separator: str
) -> None:
    """The scratch folder's `__pycache__` leads into the environment."""
    package = environment.path / SITE / "victim"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (package / "__pycache__").mkdir()
    (scratch / "module.py").write_text("planted = True\n")
    (scratch / "__pycache__").symlink_to(package / "__pycache__")
    hostile = f"{package}/module.py{separator}{scratch}/module.py"
    keep(environment, [hostile, f"{package}/{separator}{scratch}/module.py"])

    assert compiled(tmp_path) == []


@pytest.mark.parametrize(
    "hostile",
    [
        "{site}/victim/unrecorded.py",
        "{site}/victim/..//victim/module.py",
        "{site}/victim/../victim/module.py",
        "{site}//victim/module.py",
        "{site}/victim/module.py/",
        "{site}/victim/module.py\0",
        "{site}/victim/module.py ",
        "{site}/victim/\ud800.py",
        "{site}/../../../../out.py",
        "{root}/out.py",
        "../out.py",
        "out.py",
        "",
        "-q",
        "@{root}/out.py",
    ],
)
def test_a_path_that_no_record_lists_is_not_compiled(
    environment: Environment, tmp_path: Path, hostile: str
) -> None:
    keep(environment, [hostile.format(site=environment.path / SITE, root=tmp_path)])

    assert compiled(tmp_path) == []


@pytest.mark.parametrize("linked", ["file", "folder", "cache", "bytecode"])
def test_nothing_is_compiled_through_a_link(
    environment: Environment, tmp_path: Path, linked: str
) -> None:
    package = environment.path / SITE / "victim"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "module.py").write_text("planted = True\n")
    if linked == "file":
        (package / "module.py").unlink()
        (package / "module.py").symlink_to(elsewhere / "module.py")
    if linked == "folder":
        package.rename(tmp_path / "moved")
        package.symlink_to(elsewhere)
    if linked == "cache":
        (package / "__pycache__").symlink_to(elsewhere)
    if linked == "bytecode":
        (package / "__pycache__").mkdir()
        name = f"module.{sys.implementation.cache_tag}.pyc"
        (package / "__pycache__" / name).symlink_to(elsewhere / "target")
    keep(environment, [str(package / "module.py")])

    assert [path for path in tmp_path.rglob("*.pyc") if not path.is_symlink()] == []
    assert [path.name for path in elsewhere.iterdir()] == ["module.py"]


def test_packages_outside_the_environment_are_not_compiled(
    environment: Environment, tmp_path: Path
) -> None:
    site = environment.path / SITE
    site.rename(tmp_path / "moved")
    site.symlink_to(tmp_path / "moved")
    outside = "victim/module.py"
    keep(environment, [f"{site}/{outside}", f"{environment.path}/{tmp_path}/moved/{outside}"])
    keep(environment, [f"{environment.path}/../moved/{outside}"])

    assert compiled(tmp_path) == []


@pytest.mark.parametrize("reported", [None, 1, "text", {"a": 1}, [None, 1, ["x"], {}]])
def test_a_malformed_report_is_passed_over(environment: Environment, reported: object) -> None:
    keep(environment, reported)

    assert compiled(environment.path) == []
