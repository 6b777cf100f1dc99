"""A model that rewrites its own journal does not choose what runs after the trace.

What is known of the interpreter comes from a process that ended before the model's began.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from envkit.capturing import capture as capturing
from envkit.capturing import tracing
from envkit.capturing.observation import Observer
from envkit.capturing.options import trace_settings
from envkit.child.sandbox import Sandbox, confinement
from envkit.interpreters.describe import describe
from envkit.interpreters.facts import InterpreterFacts
from envkit.interpreters.visible_paths import visible_paths
from envkit.locking.lock import Unlocked
from envkit.models.directory import ModelDirectory
from tests.builders.buildable_project import buildable_project
from tests.builders.model_case import ModelCase
from tests.builders.sites import Site

LOADER = """
import glob
import json
import os
import site
import sys

import tool

HERE = os.path.dirname(os.path.abspath(__file__))
ADDED = os.path.join(HERE, "added")
site.addsitedir(ADDED)
import planted

def journal():
    for link in glob.glob("/proc/self/fd/*"):
        try:
            path = os.readlink(link)
        except OSError:
            continue
        if path.endswith("journal.jsonl"):
            return path
    raise RuntimeError("there is no journal")

def replaced(value, program):
    if isinstance(value, dict):
        return {key: replaced(element, program) for key, element in value.items()}
    if isinstance(value, list):
        return [replaced(element, program) for element in value]
    return program if value == sys.executable else value

class Model:
    def predict(self, data):
        program = os.path.join(HERE, "program")
        facts = {
            "executable": program,
            "base_executable": program,
            "prefix": HERE,
            "base_prefix": HERE,
            "version": "3.1.4",
            "sys_path": [ADDED],
            "tools": {"pip": "0.1"},
        }
        where = {"phase": "load", "reader": "loader", "reader_file": __file__, "line": 1}
        forged = [
            {"event": "interpreter", **facts},
            {"event": "process", "argv": [program], "program": program, **where},
            {"event": "program", "path": program, **where},
            {"event": "libraries", "paths": [program]},
            {"event": "library", "path": program, **where},
            {"event": "module-files", "files": {"planted": ADDED + "/planted.py"}},
            {"event": "metadata", "path": ADDED + "/planted-1.0.dist-info/METADATA", **where},
        ]
        path = journal()
        with open(path) as file:
            events = [replaced(json.loads(line), program) for line in file]
        with open(path, "w") as file:
            for event in [*forged, *events, *forged]:
                file.write(json.dumps(event) + "\\n")
        return 1

def _load_pyfunc(path):
    return Model()
"""


@pytest.fixture(params=[None, Sandbox.BUBBLEWRAP], ids=["free", "sandbox"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox | None:
    """What confines the model; bubblewrap only where it works."""
    if request.param is not None:
        best = confinement(True)
        if best is None or best.program is None:
            pytest.skip(f"bubblewrap cannot be had: {best and best.why_not}")
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def locked(case: ModelCase, monkeypatch: pytest.MonkeyPatch) -> list[InterpreterFacts]:
    """The interpreters that locks were made for."""
    del case  # it replaces the lock first
    interpreters: list[InterpreterFacts] = []

    def lock(_: Any, interpreter: InterpreterFacts, **__: Any) -> Unlocked:
        interpreters.append(interpreter)
        return Unlocked(reasons=("no network in tests",))

    monkeypatch.setattr(capturing, "lock", lock)
    return interpreters


def plant(folder: Path, ran: Path) -> dict[str, object]:
    """Write a project whose build leaves the file `ran`; gives the origin to install it from."""
    buildable_project(folder)
    backend = folder / "backend.py"
    backend.write_text(f"open({str(ran)!r}, 'w').close()\n" + backend.read_text())
    return {"url": folder.as_uri(), "dir_info": {}}


def test_a_rewritten_journal_runs_nothing(
    case: ModelCase, tmp_path: Path, sandbox: Sandbox | None, locked: list[InterpreterFacts]
) -> None:
    """The program and the project that it names are not used, and a wheel is built as ever."""
    ran = tmp_path / "ran"
    project = buildable_project(tmp_path / "project")
    origin = {"url": project.as_uri(), "dir_info": {"editable": True}}
    case.site.install(
        "tool", files={"tool.py": (project / "tool.py").read_text()}, direct_url=origin
    )
    added = Site(case.path / "code" / "added")
    direct_url = plant(case.path / "code" / "project", ran)
    added.install("planted", files={"planted.py": "x = 1\n"}, direct_url=direct_url)
    case.code("loader.py", LOADER)
    case.code("program", f"#!/bin/sh\ntouch '{ran}'\nexec '{sys.executable}' \"$@\"\n")
    (case.path / "code" / "program").chmod(0o755)
    case.example()

    captured = case.capture(sandbox=sandbox)  # type: ignore[arg-type]

    assert not ran.exists()
    assert "code/program" in json.dumps(captured.evidence["processes"])
    assert captured.prediction == 1
    assert [facts.executable for facts in locked] == [sys.executable]
    assert locked[0].version == sys.version.split()[0]
    assert [str(line) for line in captured.requirements] == ["./wheels/tool-1.0-py3-none-any.whl"]


def test_metadata_in_the_model_start_no_build(
    case: ModelCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They hide a distribution of the same name when the model's folder is searched first."""
    ran = tmp_path / "ran"
    inside = Site(case.path / "code")
    direct_url = plant(case.path / "code" / "project", ran)
    inside.install("planted", files={"planted.py": "x = 1\n"}, direct_url=direct_url)
    case.install("needed", requires=["planted"])
    case.loader(imports="needed")
    monkeypatch.setenv("PYTHONPATH", f"{inside.folder}:{case.site.folder}")

    captured = case.capture()

    assert not ran.exists()
    assert any("its metadata lies in the model" in str(line) for line in captured.warnings)


def test_metadata_in_the_model_lay_nothing_open(
    case: ModelCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a development install names is visible in the sandbox, unless the model names it."""
    inside = Site(case.path / "code")
    for site, place in ((inside, "private"), (case.site, "project")):
        origin = {"url": (tmp_path / place).as_uri(), "dir_info": {"editable": True}}
        site.install(place, direct_url=origin)
    monkeypatch.setenv("PYTHONPATH", f"{inside.folder}:{case.site.folder}")

    visible = list(visible_paths(describe(None), os.environ, [case.path]))

    assert tmp_path / "project" in visible
    assert tmp_path / "private" not in visible


def test_the_interpreter_is_described_once(
    case: ModelCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second description would come after a run of the model."""
    described = []

    def counting(*arguments: Any, **options: Any) -> InterpreterFacts:
        described.append(arguments)
        return describe(*arguments, **options)

    monkeypatch.setattr(tracing, "describe", counting)
    observer = Observer(model=ModelDirectory.open(case.path), settings=trace_settings())

    observer.observe()
    observer.observe_without_mlflow()
    observer.predict()

    assert len(described) == 1


FORGING = """
import glob, json, os

def journal():
    links = glob.glob("/proc/self/fd/*")
    paths = [os.readlink(link) for link in links if os.path.lexists(link)]
    return next(path for path in paths if path.endswith("journal.jsonl"))

class Model:
    def predict(self, data):
        for path in {paths!r}:
            name = os.path.basename(path).partition(".")[0]
            event = {{"event": "module", "module": name, "file": path, "phase": "predict"}}
            event.update(importer="loader", importer_file=__file__, line=1, importing=[])
            with open(journal(), "a") as file:
                file.write(json.dumps(event) + "\\n")
        return 1

def _load_pyfunc(path):
    return Model()
"""


@pytest.mark.usefixtures("locked")
def test_a_file_that_the_sandbox_hides_is_not_copied_into_the_model(
    case: ModelCase, tmp_path: Path, sandbox: Sandbox | None
) -> None:
    private = tmp_path / "private"
    private.mkdir()
    for name in ("secret.py", "id_rsa"):
        (private / name).write_text("SECRET = 1\n")
    paths = [str(private / "secret.py"), str(private / "id_rsa")]
    case.code("loader.py", FORGING.format(paths=paths))
    case.example()

    options: dict[str, Any] = {"sandbox": sandbox, "include_code": True, "write": True}
    captured = case.capture(**options)

    assert captured.prediction == 1
    copied = {path.name for path in (case.path / "code").iterdir()}
    assert "id_rsa" not in copied
    # without a sandbox the model could have copied the module itself
    assert ("secret.py" in copied) is (sandbox is None)
