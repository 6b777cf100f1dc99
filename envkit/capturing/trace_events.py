"""Read a trace from the journal of its process; `inside/__main__.py` documents the events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from envkit.capturing.trace import (
    CodeLocation,
    DataFileRead,
    FileUse,
    LibraryLoad,
    MetadataLookup,
    ModuleImport,
    ModuleUse,
    PickledModule,
    Process,
    ProgramRun,
    Trace,
    VariableRead,
    is_same_program,
)
from envkit.interpreters.facts import InterpreterFacts

Event = Mapping[str, Any]
Events = Mapping[str, list[Event]]


def read_trace(
    journal: Iterable[Event],
    interpreter: InterpreterFacts,
    sandbox: str | None = None,
) -> Trace:
    """Turn the journal of a process of `interpreter` into a trace. sandbox: what confined it."""
    events: defaultdict[str, list[Event]] = defaultdict(list)
    for event in journal:
        events[event["event"]].append(event)
    loaded = {path for event in events["libraries"] for path in event["paths"]}
    addresses = [str(event["address"]) for event in events["connect"]]
    answers = events["prediction"]
    skipped = None
    if not answers:
        skipped = _first_reason(events["skipped"]) or "it was not reached"
    return Trace(
        interpreter=interpreter,
        files=_files(events),
        module_uses=tuple(_module_uses(events)),
        file_uses=tuple(_file_uses(events, loaded, interpreter.executable)),
        variables=tuple(map(_variable, events["variable"])),
        loaded=tuple(sorted(loaded)),
        processes=tuple(dict.fromkeys(map(_process, events["process"]))),
        connections=tuple(dict.fromkeys(addresses)),
        prediction=answers[0].get("output") if answers else None,
        skipped=skipped,
        written=tuple(_written(events["write"])),
        sandbox=sandbox,
        builtins={event["name"]: event.get("path") for event in events["builtin"]},
        unstreamed=_first_reason(events["unstreamed"]),
    )


def _first_reason(events: Iterable[Event]) -> str | None:
    for event in events:
        return str(event["why"])
    return None


def _files(events: Events) -> dict[str, str | None]:
    files: dict[str, str | None] = {}
    for event in events["module-files"]:
        files.update(event["files"])
    for event in events["module"]:
        module = event["module"]
        files[module] = event.get("file") or files.get(module)
    return files


def _module_uses(events: Events) -> Iterator[ModuleUse]:
    for event in (*events["module"], *events["import"]):
        yield ModuleImport(
            module=event["module"],
            importing=tuple((file, line) for file, line in event.get("importing") or ()),
            phase=event["phase"],
            by=_location(event, "importer"),
        )
    for event in events["pickle"]:
        # with a process number, it is what processes send each other, and leads to imports above
        if "pid" not in event:
            yield PickledModule(module=event["module"], phase=event["phase"])


def _file_uses(
    events: Events,
    loaded: set[str],
    interpreter: str,
) -> Iterator[FileUse]:
    scripts = {event["path"] for event in events["program"]}
    for event in events["file"]:
        if event["path"] not in scripts:
            yield _file_use(DataFileRead, event, event["path"])
    for event in events["program"]:
        yield _file_use(ProgramRun, event, event["path"])
    for event in events["metadata"]:
        yield _file_use(MetadataLookup, event, event["path"])
    for event in events["process"]:
        program = event.get("program")
        if program is not None and not is_same_program(program, interpreter):
            yield _file_use(ProgramRun, event, program)
    by_name = {path.rpartition("/")[2]: path for path in sorted(loaded)}
    for event in events["library"]:
        path = event["path"]
        if not path.startswith("/"):
            path = by_name.get(path)
        if path is not None:
            yield _file_use(LibraryLoad, event, path)


def _file_use(
    use: type[FileUse],
    event: Event,
    path: str,
) -> FileUse:
    return use(path=path, phase=event["phase"], by=_location(event, "reader"))


def _variable(event: Event) -> VariableRead:
    return VariableRead(
        name=event["name"],
        is_set=bool(event["set"]),
        needed=bool(event["needed"]),
        phase=event["phase"],
        by=_location(event, "reader"),
    )


def _process(event: Event) -> Process:
    return Process(argv=tuple(map(str, event["argv"])), path=event.get("program"))


def _location(event: Event, role: str) -> CodeLocation:
    """The code that did something. role: `importer` or `reader`, as the event calls it."""
    return CodeLocation(
        module=event.get(role) or "",
        file=event.get(f"{role}_file"),
        line=event.get("line") or 0,
    )


def _written(events: Iterable[Event]) -> list[str]:
    """The paths that were written and still exist at the end."""
    paths: set[str] = set()
    for event in events:
        if event["gone"]:
            paths.discard(event["path"])
        else:
            paths.add(event["path"])
    return sorted(paths)
