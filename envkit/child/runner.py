"""Start the program folder `envkit/inside` in another interpreter and read what it reports.

The request goes in as a file, the answer comes back as a journal: JSON lines, one event each,
appended as it happens. So the model may print, close descriptors, crash or be killed without
disturbing what was seen before.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from envkit import inside
from envkit.child import hidden_paths, interpreter, process, r, scratch
from envkit.child.process import Ended
from envkit.child.sandbox import Confinement
from envkit.models.directory import R_LOADER

PROGRAM = Path(inside.__file__).resolve().with_name("__main__.py")
DESCRIBE_SECONDS = 30.0

Event = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Journal:
    """What the program reported, in order, and how its process ended."""

    events: tuple[Event, ...]
    ended: Ended

    def named(self, name: str) -> Iterator[Event]:
        """Yield the events of one kind."""
        return (event for event in self.events if event["event"] == name)

    @property
    def done(self) -> bool:
        """Whether the program came to its own end; if not and there is no error either, the process died."""
        return any(self._own("done"))

    @property
    def error(self) -> Event | None:
        """What the model or its input raised, if anything."""
        return next(self._own("error"), None)

    @property
    def phase(self) -> str:
        """The phase that it was in at the end; `start` before the first."""
        phases = [event["name"] for event in self._own("phase")]
        if phases:
            return str(phases[-1])
        return "start"

    def _own(self, name: str) -> Iterator[Event]:
        """Leave out what forks of the program told, which bear a process number."""
        return (event for event in self.named(name) if "pid" not in event)


def run_inside(
    python: Path,
    request: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    timeout: float | None,
    directory: Path | None = None,
    isolated: bool,
    confinement: Confinement | None = None,
    readable: Sequence[Path] = (),
    inherit: Sequence[int] = (),
) -> Journal:
    """Run one request in `python` and give its journal.

    `request` is the request of the protocol without its `journal`. `environment`, `timeout`
    (seconds) and `directory` are as for `process.run`. `isolated` keeps `PYTHON*` variables, the
    user site and the working directory out of what is imported (`-I`, the same since Python 3.4):
    right for a rebuilt environment, wrong for an interpreter whose environment is to be seen as the
    user has it. With a `confinement` the program sees of private places only what the interpreter
    needs, the input, and the `readable` paths, default the model. `inherit` are descriptors that it
    keeps open.

    Raises `OSError` when the interpreter cannot be started, `NotAnInterpreter` when it is none, or
    too old a one, `InvalidArgument` when what must be readable would lay private places open.
    """
    if not isolated and python != Path(
        sys.executable
    ):  # named by a user; before it may print what it makes of our code
        interpreter.check(python, environment)
    with scratch.folder() as folder:
        argv, variables = prepared(
            python,
            request,
            folder,
            environment=environment,
            timeout=timeout,
            isolated=isolated,
            confinement=confinement,
            readable=readable,
        )
        ended = process.run(
            argv,
            environment=variables,
            directory=directory,
            timeout=timeout,
            inherit=inherit,
            supervised=request["job"] != "describe",
        )
        found = journal_of(folder, ended, confinement)
    if not found.done and found.phase == "start" and not ended.timed_out:
        interpreter.check(python, environment)
    return found


def prepared(
    python: Path,
    request: Mapping[str, Any],
    folder: Path,
    *,
    environment: Mapping[str, str],
    timeout: float | None,
    isolated: bool,
    confinement: Confinement | None,
    readable: Sequence[Path] = (),
) -> tuple[list[str | Path], dict[str, str]]:
    """Write the request into a private folder, and give the words that start the program, and its variables."""
    asked = folder / "REQUEST.json"
    whole = {**request, "journal": str(folder / "journal.jsonl")}
    argv: list[str | Path] = [python, *(["-I"] if isolated else []), PROGRAM, asked]
    variables = dict(environment)
    if confinement is not None:
        whole["limits"] = confinement.limits(
            timeout=timeout, memory_bytes=request.get("memory_bytes")
        )
        named = [*(readable or [Path(request["model"])]), *_given(request)]
        confinement.check(named, environment)
        argv = confinement.argv(
            argv,
            environ=environment,
            readable=[
                *named,
                PROGRAM.parent,
                *_needs(python, environment, isolated=isolated),
                *_needs_in_r(request, environment),
            ],
            writable=[folder, *([Path(request["output"]).parent] if request.get("output") else [])],
        )
        variables = confinement.variables(environment)
    asked.write_text(json.dumps(whole), encoding="utf-8")
    return argv, variables


def journal_of(folder: Path, ended: Ended, confinement: Confinement | None) -> Journal:
    """Read what the program reported that `prepared` prepared in this folder, and that has ended."""
    events = tuple(read_events(folder / "journal.jsonl"))
    return Journal(events=events, ended=confinement.as_ended(ended) if confinement else ended)


def _given(request: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the file that is to be predicted on."""
    source = request.get("input")
    if source:
        yield Path(source["path"])


def _needs(python: Path, environment: Mapping[str, str], *, isolated: bool) -> Iterator[Path]:
    """Yield what an interpreter and its environment consist of: asked of itself, before anything is hidden."""
    yield python
    asked = run_inside(
        python,
        {"job": "describe"},
        environment=environment,
        timeout=DESCRIBE_SECONDS,
        isolated=isolated,
    )
    facts = next(asked.named("interpreter"), None)
    if facts is None:  # it is no interpreter, which is told later
        return
    for prefix in (facts["prefix"], facts["base_prefix"]):
        yield from hidden_paths.of_prefix(Path(prefix), environment)
    yield Path(facts["executable"])
    for folder in map(Path, (*facts["stdlib"], *facts["sys_path"])):
        yield folder
        yield from _developed(folder)


def _needs_in_r(request: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield what R consists of, and its packages, where it is R that runs the model."""
    if request["python_function"].get("loader_module") == R_LOADER:
        found = r.find(environment)
        yield from (found.program, *found.libraries)
        yield from hidden_paths.of_prefix(found.home.parent.parent, environment)


def _developed(folder: Path) -> Iterator[Path]:
    """Yield where distributions lie that are installed in development mode (PEP 610)."""
    for record in folder.glob("*.dist-info/direct_url.json"):
        try:
            origin = json.loads(record.read_text(encoding="utf-8"))
            if origin["dir_info"]["editable"] and origin["url"].startswith("file://"):
                yield Path(unquote(urlsplit(origin["url"]).path))
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
        ):  # not as the PEP has it: not editable
            continue


def read_events(journal: Path) -> Iterator[Event]:
    """Yield the events of a journal; none when the file was never made.

    The last line may be cut off: the process was killed while it wrote. Reading ends at the first
    line that is no event, so a journal that the model tampered with lacks its `done` and is never
    taken for a success.
    """
    try:
        lines = journal.read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    for line in lines[:-1]:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            return
        yield event
