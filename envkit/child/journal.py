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
from envkit.child.process import Ended

FILE_NAME = "journal.jsonl"

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
    def died_at_start(self) -> bool:
        """Whether it ended by itself before it touched the model, as what is not a Python does."""
        return self.phase == "start" and not self.done and not self.ended.timed_out

    def _of_first_process(self, name: str) -> Iterator[Event]:
        """Leave out what forks of the program reported, which has a process number."""
        return (event for event in self.named(name) if "pid" not in event)


def read_events(journal: Path) -> Iterator[Event]:
    """Yield the events of a journal; none when the file was never made or was replaced.

    The last line may be cut off: the process was killed while it wrote. Reading ends at the first
    line that is not an event, so a journal that the model tampered with lacks its `done` and is
    never taken for a success.
    """
    try:
        lines = left_behind.read(journal, left_behind.JOURNAL_BYTES).split(b"\n")
    except (FileNotFoundError, left_behind.NotReadable):
        return
    for line in lines[:-1]:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            return
        yield event
