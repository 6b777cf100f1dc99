"""Start the program folder `envkit/inside` in another interpreter and read what it reports.

The request goes in as a file, the answer comes back as a journal: JSON lines, one event each, appended as it
happens. So the model may print, close descriptors, crash or be killed without disturbing what was seen before.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import envkit
from envkit.child import process
from envkit.child.process import Ended
from envkit.errors import NotAnInterpreter

PROGRAM = Path(envkit.__file__).resolve().parent / "inside" / "__main__.py"

OLDEST = (3, 8)  # what `envkit/inside` is written for

Event = Mapping[str, Any]

_DOING = {
    "start": "start",
    "load": "load",
    "input": "take its input",
    "predict": "predict",
    "output": "give its answer",
}


def doing(phase: str) -> str:
    """Say a phase in words, to follow "it was to …"."""
    return _DOING.get(phase, phase)


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
        return str(phases[-1]) if phases else "start"

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
) -> Journal:
    """Run one request in `python` and give its journal.

    `request` is the request of the protocol without its `journal`. `environment`, `timeout` (seconds) and
    `directory` are as for `process.run`. `isolated` keeps `PYTHON*` variables, the user site and the working
    directory out of what is imported (`-I`, the same since Python 3.4): right for a rebuilt environment, wrong
    for an interpreter whose environment is to be seen as the user has it.

    Raises `OSError` when the interpreter cannot be started, `NotAnInterpreter` when it is none, or too old a one.
    """
    with tempfile.TemporaryDirectory(prefix="envkit-") as private:
        folder = Path(private).resolve()
        journal = folder / "journal.jsonl"
        asked = folder / "REQUEST.json"
        asked.write_text(json.dumps({**request, "journal": str(journal)}), encoding="utf-8")
        flags = ["-I"] if isolated else []
        ended = process.run(
            [python, *flags, PROGRAM, asked], environment=environment, directory=directory, timeout=timeout
        )
        found = Journal(events=tuple(read_events(journal)), ended=ended)
    if not found.done and found.phase == "start" and not ended.timed_out:
        _check_interpreter(python, environment)
    return found


def _check_interpreter(python: Path, environment: Mapping[str, str]) -> None:
    """Ask a program that did not get to the model what it is."""
    ask: list[str | Path] = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    answer = process.run(ask, environment=environment, timeout=10.0, keep_output=True)
    version = re.fullmatch(r"(\d+)\.(\d+)", answer.output.strip())
    if not answer.succeeded or version is None:
        raise NotAnInterpreter(str(python), "it does not answer as Python does")
    if (int(version[1]), int(version[2])) < OLDEST:
        raise NotAnInterpreter(
            str(python), f"it is Python {version[0]}, and envkit needs {OLDEST[0]}.{OLDEST[1]} or newer"
        )


def read_events(journal: Path) -> Iterator[Event]:
    """Yield the events of a journal; none when the file was never made.

    The last line may be cut off: the process was killed while it wrote. Reading ends at the first line that is
    no event, so a journal that the model tampered with lacks its `done` and is never taken for a success.
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
