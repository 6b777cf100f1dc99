"""Whatever a model writes into its journal, the parent reads a trace or says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envkit.capturing.trace_events import read_trace
from envkit.child import journal as journals
from envkit.child.journal_schema import problem_of
from envkit.child.process import Ended
from envkit.interpreters.facts import InterpreterFacts

ENDED = Ended(status=0, timed_out=False)
FACTS = InterpreterFacts(
    executable="/python",
    version="3.11.7",
    implementation="cpython",
    platform="linux-x86_64",
    sys_path=("/site-packages",),
)
WHOLE: dict[str, dict[str, Any]] = {
    "phase": {"name": "load"},
    "module": {"module": "a", "file": "/a.py", "importer": "b", "line": 1, "phase": "load"},
    "import": {"module": "a", "importer": "b", "importing": [["/a.py", 1]], "phase": "load"},
    "pickle": {"module": "a", "phase": "load"},
    "builtin": {"name": "a", "path": None},
    "variable": {"name": "A", "set": True, "needed": False, "reader": "a", "phase": "load"},
    "file": {"path": "/a", "reader": "a", "phase": "load"},
    "metadata": {"path": "/a", "reader": "a", "phase": "load"},
    "library": {"path": "/a.so", "reader": "a", "phase": "load"},
    "libraries": {"paths": ["/a.so"]},
    "process": {"argv": ["a"], "program": "/a", "reader": "a", "phase": "load"},
    "program": {"path": "/a", "reader": "a", "phase": "load"},
    "write": {"path": "/a", "gone": False, "reader": "a", "phase": "load"},
    "connect": {"address": "a:1", "phase": "load"},
    "module-files": {"files": {"a": "/a.py", "b": None}},
    "prediction": {"output": [1]},
    "uncompiled": {"paths": ["/a.py"]},
    "skipped": {"phase": "predict", "why": "a"},
    "unstreamed": {"why": "a"},
    "error": {"phase": "load", "kind": "model", "type": "A", "message": "", "traceback": ""},
    "done": {},
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@pytest.mark.parametrize("name", WHOLE)
def test_an_event_of_the_protocol_is_valid(name: str) -> None:
    assert problem_of({"event": name, **WHOLE[name]}) == ""


@pytest.mark.parametrize(
    ("name", "field"),
    [(name, field) for name, fields in WHOLE.items() for field in fields if name != "prediction"],
)
def test_a_field_of_another_type_is_named(name: str, field: str) -> None:
    event = {"event": name, **WHOLE[name], field: {"a": [1]}}

    assert f"`{field}`" in problem_of(event)


@settings(deadline=None, max_examples=400)
@given(data=st.data())
def test_no_journal_stops_the_parent(data: st.DataObject, tmp_path_factory: Any) -> None:
    name = data.draw(st.sampled_from(sorted(WHOLE)))
    fields = data.draw(st.dictionaries(st.sampled_from([*WHOLE[name], "pid", "x"]), VALUES))
    event = {"event": name, **WHOLE[name], **fields}
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    path.write_text(json.dumps(event) + "\n", encoding="utf-8")

    journal = journals.read(path, ENDED)
    assert bool(journal.damage) == bool(problem_of(event))
    trace = read_trace(journal.events, FACTS)
    assert trace.skipped or journal.events


def test_a_spoiled_journal_is_named_as_the_failure(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event": "phase", "name": 3}\n{"event": "done"}\n')

    journal = journals.read(path, ENDED)
    assert not journal.done
    assert journal.failure.startswith("spoiled its own report (line 1 is not an event `phase`")
