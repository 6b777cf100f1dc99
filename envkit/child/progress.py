"""How work reports what it is doing: lines of text, and steps for those who can draw them.

A `Reporter` is anything that takes a line of text. A report that also has `step` is a `Progress`:
it gets how far a step is, and draws a bar, prints lines, or does nothing. So the work need not know
where it is shown.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


class Reporter(Protocol):
    """Takes a line of text: something begins that takes time, or the user should know something."""

    def __call__(self, line: str, /) -> None:
        """Take a line."""


def silent(_: str, /) -> None:
    """Reporter nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """How far a step is.

    what: in words, empty for "as before". done, total: bytes; a total of 0 is unknown.

    line: a line to print instead of drawing, or empty.
    """

    what: str = ""
    done: int = 0
    total: int = 0
    line: str = ""


class Advance(Protocol):
    """Takes the state of a step."""

    def __call__(self, state: State, /) -> None:
        """Take a state."""


@runtime_checkable
class Progress(Protocol):
    """A report that also shows steps."""

    def __call__(self, line: str, /) -> None:
        """Take a line."""

    def step(self, what: str) -> AbstractContextManager[Advance]:
        """Begin a step, which lasts as long as the context."""


def step(report: Reporter | None, what: str) -> AbstractContextManager[Advance]:
    """Begin a step of a report; one that shows no steps is not called."""
    if isinstance(report, Progress):
        return report.step(what)
    return nullcontext(_ignore)


def _ignore(_: State) -> None:
    """Show nothing."""
