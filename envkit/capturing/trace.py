"""The trace: what one load and one prediction did, as the journal of the traced process tells it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from envkit.interpreters.facts import InterpreterFacts

Event = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """One module asked for another.

    importer_file is None for code that has no file. importing: while the importer's own package was
    being imported, where that stood, innermost first, as (file, line); empty when something called
    the importer later. artifact: a pickle of the model names the module. data: no module was
    imported, but the file of the path `module` was used: `kind` says how, as a `data_file`, a
    `program`, a `library`, as `metadata`, asked for by name, or as a `builtin`, whose name it put
    into `builtins`.
    """

    module: str
    importer: str
    importer_file: str | None
    line: int
    phase: str
    importing: tuple[tuple[str, int], ...] = ()
    artifact: bool = False
    data: bool = False
    kind: str = "module"


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A program that was started. path: where it lies, None when there is no such program."""

    argv: tuple[str, ...]
    path: str | None

    def runs(self, interpreter: str) -> bool:
        """Whether the program is that interpreter."""
        return self.path is not None and _is_interpreter(self.path, interpreter)


@dataclass(frozen=True, kw_only=True, slots=True)
class VariableRead:
    """An environment variable that was asked for. Its value is never known here.

    needed: its absence would raise where it is read.
    """

    name: str
    is_set: bool
    needed: bool
    reader: str
    reader_file: str | None
    line: int
    phase: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """The evidence of one load and one prediction.

    files: the file of each module that was seen (None: it has none). reads: files that were used
    otherwise. written: paths that were made or changed, without what is gone again and what is
    temporary. connections: tried. sandbox: what confined the model meanwhile, `bubblewrap` or
    `limits`. loaded: paths of the native libraries that were loaded in the end, extension modules
    among them. builtins: names that something put into `builtins` when the interpreter started,
    each with the file that did. skipped: why no prediction was made, or None. unstreamed: why none
    was made piece by piece, although the model can. prediction: the answer to the example as JSON
    values; only when `skipped` is None.
    """

    interpreter: InterpreterFacts
    files: Mapping[str, str | None]
    imports: tuple[Import, ...]
    reads: tuple[Import, ...]
    variables: tuple[VariableRead, ...]
    loaded: tuple[str, ...]
    processes: tuple[Process, ...]
    connections: tuple[str, ...]
    prediction: Any
    skipped: str | None
    written: tuple[str, ...] = ()
    sandbox: str | None = None
    builtins: Mapping[str, str | None] = field(default_factory=dict)
    unstreamed: str | None = None

    @classmethod
    def of_nothing(cls, interpreter: InterpreterFacts, skipped: str) -> Trace:
        """Return the trace of a model that was not run; `skipped` says why."""
        return cls(
            interpreter=interpreter,
            files={},
            imports=(),
            reads=(),
            variables=(),
            loaded=(),
            processes=(),
            connections=(),
            prediction=None,
            skipped=skipped,
        )


def from_events(events: Iterable[Event], interpreter: InterpreterFacts) -> Trace:
    """Read the journal of a trace in `interpreter`; `envkit/inside/__main__.py` lists the events."""
    kinds: dict[str, list[Event]] = {}
    for event in events:
        kinds.setdefault(event["event"], []).append(event)
    loaded = {path for event in kinds.get("libraries", []) for path in event["paths"]}
    answers = kinds.get("prediction", [])
    return Trace(
        interpreter=interpreter,
        files=_files(kinds),
        imports=tuple(_imports(kinds)),
        reads=tuple(_reads(kinds, loaded, interpreter.executable)),
        variables=tuple(_variables(kinds.get("variable", []))),
        loaded=tuple(sorted(loaded)),
        processes=tuple(dict.fromkeys(map(_process, kinds.get("process", [])))),
        connections=tuple(
            dict.fromkeys(str(event["address"]) for event in kinds.get("connect", []))
        ),
        prediction=answers[0]["output"] if answers else None,
        skipped=None
        if answers
        else str(kinds.get("skipped", [{"why": "it was not reached"}])[0]["why"]),
        written=tuple(_written(kinds.get("write", []))),
        builtins={event["name"]: event["path"] for event in kinds.get("builtin", [])},
        unstreamed=next((str(event["why"]) for event in kinds.get("unstreamed", [])), None),
    )


def _written(events: Iterable[Event]) -> list[str]:
    found: dict[str, None] = {}
    for event in events:
        if event["gone"]:
            found.pop(event["path"], None)
        else:
            found[event["path"]] = None
    return sorted(found)


def _files(kinds: Mapping[str, list[Event]]) -> dict[str, str | None]:
    files: dict[str, str | None] = {}
    for event in kinds.get("module-files", []):
        files.update(event["files"])
    for event in kinds.get("module", []):
        files[event["module"]] = event.get("file") or files.get(event["module"])
    return files


def _imports(kinds: Mapping[str, list[Event]]) -> Iterable[Import]:
    for event in (*kinds.get("module", []), *kinds.get("import", [])):
        yield Import(
            module=event["module"],
            importer=event["importer"] or "",
            importer_file=event.get("importer_file"),
            line=event.get("line") or 0,
            phase=event["phase"],
            importing=tuple((file, line) for file, line in event.get("importing", ())),
        )
    for event in kinds.get("pickle", []):
        # what processes send each other; the imports that it leads to are told as such
        if "pid" in event:
            continue
        yield Import(
            module=event["module"],
            importer="",
            importer_file=None,
            line=0,
            phase=event["phase"],
            artifact=True,
        )


def _process(event: Event) -> Process:
    return Process(argv=tuple(map(str, event["argv"])), path=event["program"])


def _reads(
    kinds: Mapping[str, list[Event]], loaded: set[str], interpreter: str
) -> Iterable[Import]:
    """Yield the files that were read, the programs but for the interpreter itself, and what `ctypes` loaded."""
    scripts = {event["path"] for event in kinds.get("program", [])}
    for event in kinds.get("file", []):
        if event["path"] not in scripts:
            yield _use(event, event["path"], "data_file")
    for event in kinds.get("program", []):
        yield _use(event, event["path"], "program")
    for event in kinds.get("metadata", []):
        yield _use(event, event["path"], "metadata")
    for event in kinds.get("process", []):
        if event["program"] is not None and not _is_interpreter(event["program"], interpreter):
            yield _use(event, event["program"], "program")
    named = {path.rpartition("/")[2]: path for path in sorted(loaded)}
    for event in kinds.get("library", []):
        if event["path"].startswith("/"):
            path = event["path"]
        else:
            path = named.get(event["path"])
        if path is not None:
            yield _use(event, path, "library")


def _use(event: Event, path: str, kind: str) -> Import:
    return Import(
        module=path,
        importer=event["reader"] or "",
        importer_file=event["reader_file"],
        line=event["line"] or 0,
        phase=event["phase"],
        data=True,
        kind=kind,
    )


@cache
def _is_interpreter(program: str, interpreter: str) -> bool:
    """Whether they are one: also `python3` beside `python`, and what either is a link to."""
    return os.path.realpath(program) == os.path.realpath(interpreter)


def _variables(events: Iterable[Event]) -> Iterable[VariableRead]:
    for event in events:
        yield VariableRead(
            name=event["name"],
            is_set=bool(event["set"]),
            needed=bool(event["needed"]),
            reader=event["reader"] or "",
            reader_file=event.get("reader_file"),
            line=event.get("line") or 0,
            phase=event["phase"],
        )
