"""The trace: what one load and one prediction did, as the journal of the traced process tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Event = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class InterpreterFacts:
    """The interpreter in which the model was traced.

    version: full, `3.11.7`; platform: `sysconfig.get_platform()`; markers: the PEP 508 marker environment;
    tools: versions of pip, setuptools and wheel there, None where they are not installed.
    """

    executable: str
    version: str
    implementation: str
    platform: str
    stdlib: tuple[str, ...]
    sys_path: tuple[str, ...]
    markers: Mapping[str, str]
    tools: Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """One module asked for another.

    importer_file is None for code that has no file. importing: while the importer's own package was being imported,
    where that stood, innermost first, as (file, line); empty when something called the importer later.
    artifact: a pickle of the model names the module. data: no module was imported, but the file of the path `module`
    was read.
    """

    module: str
    importer: str
    importer_file: str | None
    line: int
    phase: str
    importing: tuple[tuple[str, int], ...] = ()
    artifact: bool = False
    data: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class VariableRead:
    """An environment variable that was asked for. Its value is never known here."""

    name: str
    is_set: bool
    reader: str
    reader_file: str | None
    line: int
    phase: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """The evidence of one load and one prediction.

    files: the file of each module that was seen (None: it has none). skipped: why no prediction was made, or None.
    prediction: the answer to the example as JSON values; only when `skipped` is None.
    """

    interpreter: InterpreterFacts
    files: Mapping[str, str | None]
    imports: tuple[Import, ...]
    reads: tuple[Import, ...]
    variables: tuple[VariableRead, ...]
    libraries: tuple[str, ...]
    processes: tuple[tuple[str, ...], ...]
    connections: tuple[str, ...]
    prediction: Any
    skipped: str | None


def from_events(events: Iterable[Event]) -> Trace:
    """Read the journal of a trace; which events there are is told by `envkit/inside/__main__.py`."""
    kinds: dict[str, list[Event]] = {}
    for event in events:
        kinds.setdefault(event["event"], []).append(event)
    first = kinds["interpreter"][0]
    answers = kinds.get("prediction", [])
    return Trace(
        interpreter=_interpreter(first),
        files=_files(kinds),
        imports=tuple(_imports(kinds)),
        reads=tuple(_reads(kinds.get("file", []))),
        variables=tuple(_variables(kinds.get("variable", []))),
        libraries=tuple(dict.fromkeys(event["path"] for event in kinds.get("library", []))),
        processes=tuple(dict.fromkeys(tuple(map(str, event["argv"])) for event in kinds.get("process", []))),
        connections=tuple(dict.fromkeys(str(event["address"]) for event in kinds.get("connect", []))),
        prediction=answers[0]["output"] if answers else None,
        skipped=None if answers else str(kinds.get("skipped", [{"why": "it was not reached"}])[0]["why"]),
    )


def _interpreter(event: Event) -> InterpreterFacts:
    return InterpreterFacts(
        executable=event["executable"],
        version=event["version"],
        implementation=event["implementation"],
        platform=event["platform"],
        stdlib=tuple(event["stdlib"]),
        sys_path=tuple(event["sys_path"]),
        markers=event["markers"],
        tools=event["packages"],
    )


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
        yield Import(
            module=event["module"], importer="", importer_file=None, line=0, phase=event["phase"], artifact=True
        )


def _reads(events: Iterable[Event]) -> Iterable[Import]:
    for event in events:
        yield Import(
            module=event["path"],
            importer=event.get("reader") or "",
            importer_file=event.get("reader_file"),
            line=event.get("line") or 0,
            phase=event["phase"],
            data=True,
        )


def _variables(events: Iterable[Event]) -> Iterable[VariableRead]:
    for event in events:
        yield VariableRead(
            name=event["name"],
            is_set=bool(event["set"]),
            reader=event["reader"] or "",
            reader_file=event.get("reader_file"),
            line=event.get("line") or 0,
            phase=event["phase"],
        )
