"""What the program writes and sends has exactly the fields and types that its docstring lists."""

from __future__ import annotations

import ast
import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from envkit.inside import messages
from tests.builders.inside_bench import PROGRAM, Bench, Event

Check = Callable[[Any], bool]
Fields = dict[str, Check]


def is_string(value: Any) -> bool:
    return isinstance(value, str)


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_frame(value: Any) -> bool:
    return (
        isinstance(value, list) and len(value) == 2 and is_string(value[0]) and is_integer(value[1])
    )


TYPES: dict[str, Check] = {
    "string": is_string,
    "integer": is_integer,
    "boolean": lambda value: isinstance(value, bool),
    "string or null": lambda value: value is None or is_string(value),
    "list of strings": lambda value: isinstance(value, list) and all(map(is_string, value)),
    "list of [string, integer]": lambda value: (
        isinstance(value, list) and all(map(is_frame, value))
    ),
    "object of strings or nulls": lambda value: (
        isinstance(value, dict) and all(item is None or is_string(item) for item in value.values())
    ),
    "JSON value": lambda value: True,
}
ENTRY = re.compile(r"^    ([A-Za-z-]+) {2,}(\S.*)$")
CONTINUATION = re.compile(r"^ {28}(\S.*)$")
FIELD = re.compile(r"([a-z_]+): ((?:[^,\[.]|\[[^\]]*\])+)|([A-Z]{3,})")


def documented(section: str) -> dict[str, str]:
    """Read the entries of a section: the text of the fields by the name of the event."""
    docstring = ast.get_docstring(ast.parse(PROGRAM.read_text(encoding="utf-8")), clean=False) or ""
    (text,) = re.findall(rf"^{section}$(.*?)(?=^[A-Z ]+$|\Z)", docstring, re.MULTILINE | re.DOTALL)
    entries: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if entry := ENTRY.match(line):
            name, fields = entry.groups()
            assert name not in entries, name
            entries[name] = fields
        elif continuation := CONTINUATION.match(line):
            entries[name] += " " + continuation.group(1)
    return entries


def fields_of(text: str, groups: dict[str, str]) -> Fields:
    """Read a list of fields; names in capitals stand for those of a group."""
    fields: Fields = {}
    for name, kind, group in FIELD.findall(text):
        if group:
            fields |= fields_of(groups[group], {})
        else:
            fields[name] = TYPES[kind.strip()]
    return fields


JOURNAL = documented("JOURNAL")
GROUPS = {name: text for name, text in JOURNAL.items() if name.isupper()}
EVENTS = {name: fields_of(text, GROUPS) for name, text in JOURNAL.items() if name not in GROUPS}
SENT = {
    name: fields_of(text, {})
    for name, text in documented("MESSAGES OF A WORKER").items()
    if name in {"ready", "answer", "piece", "end", "error"}
}
REFUSAL: Fields = {"status": is_integer, "code": is_string, "misfit": TYPES["boolean"]}


def check(event: Event, fields: Fields) -> None:
    named = {name: value for name, value in event.items() if name not in {"event", "pid"}}

    assert set(named) == set(fields), event
    assert is_integer(event.get("pid", 0)), event
    for name, value in named.items():
        assert fields[name](value), (name, event)


def test_the_docstring_lists_the_fields_of_each_event() -> None:
    assert set(EVENTS["module"]) == {
        "module",
        "file",
        "importer",
        "importer_file",
        "line",
        "importing",
        "phase",
    }
    assert EVENTS["done"] == {}
    assert set(SENT) == {"ready", "answer", "piece", "end", "error"}


BUSY = """
import ctypes, os, pickle, socket, subprocess, sys, types
from importlib import metadata

FOLDER = os.path.dirname(__file__)


class Model:
    def predict(self, data, params=None):
        import helper

        metadata.version("known")
        pickle.loads(b"chelper\\nvalue\\n.")
        open(os.path.join(FOLDER, "data.bin"), "rb").close()
        os.environ.get("MINE")
        try:
            ctypes.CDLL("libgcc_s.so.1")
        except OSError:
            pass
        open("written", "w").close()
        os.remove("written")
        subprocess.run([sys.executable, os.path.join(FOLDER, "script.py")], check=True)
        try:
            socket.socket().connect(("127.0.0.1", 9))
        except OSError:
            pass
        sys.modules["made"] = types.ModuleType("made")
        return 1

    def predict_stream(self, data, params=None):
        raise ValueError


def _load_pyfunc(path):
    return Model()
"""
STREAMING = """
class Model:
    def predict(self, data, params=None):
        if data == "raise":
            raise ValueError(data)
        return data

    def predict_stream(self, data, params=None):
        yield data


def _load_pyfunc(path):
    return Model()
"""


def test_every_event_of_a_trace_has_the_documented_fields(bench: Bench, any_python: str) -> None:
    bench.module("helper", "value = 1\n")
    bench.module("script", "import helper\n")
    (bench.code / "data.bin").write_bytes(b"1")
    metadata = bench.code / "known-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: known\nVersion: 1.0\n")
    bench.module("loader", BUSY)

    report = bench.run(
        any_python,
        python_function={"streamable": True},
        environment={"HOME": str(bench.folder)},
    )

    assert report.last == "done", report.events[-1]
    for event in report.events:
        check(event, EVENTS[event["event"]])
    seen = {event["event"] for event in report.events}
    assert set(EVENTS) - seen <= {"builtin", "error", "libraries", "skipped", "uncompiled"}


def test_the_other_events_have_the_documented_fields(bench: Bench, python: str) -> None:
    bench.loader(top="import helper", predict="raise ValueError('no')")
    bench.module("helper", "")

    skipped = bench.run(python, example=None).events
    failed = bench.run(python).events
    bench.loader()
    confined = bench.predict(python, {"inputs": 1}, limits={}).events
    confined += bench.predict(python, {"inputs": 1}, limits={"CORE": 0}).events

    for event in (*skipped, *failed, *confined):
        check(event, EVENTS[event["event"]])
    assert {"skipped"} <= {event["event"] for event in skipped}
    assert {"error"} <= {event["event"] for event in failed}
    assert {"uncompiled"} <= {event["event"] for event in confined}


@contextmanager
def working(bench: Bench, python: str) -> Iterator[socket.socket]:
    """Start a worker, and give the socket over which it answers."""
    ours, theirs = socket.socketpair()
    request = bench.request(example=None, python_function={"streamable": True})
    request.update(job="work", channel=theirs.fileno(), journal=str(bench.folder / "journal"))
    path = bench.folder / "REQUEST.json"
    path.write_text(json.dumps(request), encoding="utf-8")
    worker = subprocess.Popen([python, str(PROGRAM), str(path)], pass_fds=[theirs.fileno()])
    theirs.close()
    ours.settimeout(60)
    with ours:
        yield ours
    assert worker.wait(60) == 0


def ask(channel: socket.socket, what: str, value: Any) -> Event:
    messages.write(channel, {"ask": what, "content_type": "json"}, json.dumps(value).encode())
    return read(channel)


def read(channel: socket.socket) -> Event:
    message = messages.read(channel)
    assert message is not None
    header, _ = message
    return dict(header)


def test_every_message_of_a_worker_has_the_documented_fields(bench: Bench, python: str) -> None:
    bench.module("loader", STREAMING)

    with working(bench, python) as channel:
        ready = read(channel)
        answer = ask(channel, "predict", {"inputs": 1})
        piece = ask(channel, "stream", {"inputs": 1})
        end = read(channel)
        raised = ask(channel, "predict", {"inputs": "raise"})
        refused = ask(channel, "predict", {"unknown": 1})

    for message, name in ((ready, "ready"), (answer, "answer"), (piece, "piece"), (end, "end")):
        assert message["event"] == name
        check(message, SENT[name])
    check(raised, SENT["error"])
    check(refused, SENT["error"] | REFUSAL)
    assert (raised["kind"], raised["phase"]) == ("model", "predict")
    assert (refused["kind"], refused["status"], refused["misfit"]) == ("input", 400, False)
