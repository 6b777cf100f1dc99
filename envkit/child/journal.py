"""What the program of `envkit/inside` reported: JSON lines, one event each, appended as it happens.

`envkit/inside/__main__.py` lists the events. The model's own code runs in that process and can
write anything into the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.child import left_behind
from envkit.child.journal_schema import problem_of
from envkit.child.process import Ended

FILE_NAME = "journal.jsonl"

Event = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Journal:
    """What the program reported, in order, and how its process ended.

    Attributes:
        events: The events, each with the fields of the protocol.
        ended: How the process ended.
        damage: Why the journal could not be read to its end, as a clause; empty when it could.
    """

    events: tuple[Event, ...]
    ended: Ended
    damage: str = ""

    def named(self, name: str) -> Iterator[Event]:
        """Yield the events of one kind."""
        return (event for event in self.events if event["event"] == name)

    @property
    def done(self) -> bool:
        """Whether the program came to its own end. Without that and without an error it died."""
        return any(self._of_first_process("done"))

    @property
    def error(self) -> Event | None:
        """What the model or its input raised, if anything."""
        return next(self._of_first_process("error"), None)

    @property
    def phase(self) -> str:
        """The phase that it was in at the end; `start` before the first."""
        phases = [event["name"] for event in self._of_first_process("phase")]
        if phases:
            return str(phases[-1])
        return "start"

    @property
    def failure(self) -> str:
        """How a process failed that reported neither an error nor its end: "was killed by …"."""
        if self.damage:
            return f"spoiled its own report ({self.damage})"
        return self.ended.how

    @property
    def died_at_start(self) -> bool:
        """Whether it ended by itself before it touched the model, as what is not a Python does."""
        if self.done or self.damage or self.ended.timed_out:
            return False
        return self.phase == "start"

    def _of_first_process(self, name: str) -> Iterator[Event]:
        """Leave out what forks of the program reported, which has a process number."""
        return (event for event in self.named(name) if "pid" not in event)


def read(path: Path, ended: Ended) -> Journal:
    """Read the journal of a process that has ended.

    The last line may be cut off: the process was killed while it wrote. Reading ends at the first
    line that breaks the protocol, so a journal that the model tampered with lacks its `done` and is
    never taken for a success.
    """
    try:
        lines = left_behind.read(path, left_behind.JOURNAL_BYTES).split(b"\n")
    except FileNotFoundError:
        return Journal(events=(), ended=ended)
    except left_behind.NotReadable as error:
        return Journal(events=(), ended=ended, damage=str(error))
    events: list[Event] = []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if problem := problem_of(event):
            damage = f"line {number} {problem}"
            return Journal(events=tuple(events), ended=ended, damage=damage)
        events.append(event)
    return Journal(events=tuple(events), ended=ended)
