"""Show what goes on, on standard error: bars on a terminal, lines elsewhere, nothing with `-q`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from envkit.child.progress import Advance, State
from envkit.cli import options

if TYPE_CHECKING:
    from rich.progress import Progress

_DUMB = {"dumb", "unknown", ""}


def report(*, only_verbose: bool = False) -> Lines | Bars:
    """Give what a command hands to the library as its `report`; lines may be for `-v` alone, bars are not."""
    if _is_drawn(os.environ):
        return Bars(only_verbose)
    return Lines(only_verbose)


def _is_drawn(environ: Mapping[str, str]) -> bool:
    """Whether standard error is a terminal that can draw, and somebody wants to see it; not so in CI."""
    if options.is_quiet() or environ.get("CI", "").lower() not in {"", "0", "false"}:
        return False
    terminal = sys.stderr is not None and sys.stderr.isatty()
    return terminal and environ.get("TERM", "") not in _DUMB


class Lines:
    """Prints a line for what takes time."""

    def __init__(self, only_verbose: bool = False) -> None:
        self._only_verbose = only_verbose

    def __call__(self, line: str, /) -> None:
        """Print a line."""
        options.note(line, only_verbose=self._only_verbose)

    def step(self, what: str) -> AbstractContextManager[Advance]:  # noqa: ARG002 - a line told of it already
        """Print the lines of a step."""
        return nullcontext(self._line)

    def _line(self, state: State) -> None:
        if state.line:
            self(state.line)


class Bars(Lines):
    """Draws a bar while a step lasts, and takes it away."""

    def step(self, what: str) -> AbstractContextManager[Advance]:
        """Draw a step as long as it lasts."""
        return _drawn(what)


@contextmanager
def _drawn(what: str) -> Iterator[Advance]:
    bars = _bars()
    with bars:
        bars.add_task(what, total=None)

        def advance(state: State) -> None:
            (task,) = bars.tasks
            if state.total:
                bars.update(
                    task.id,
                    description=state.what or task.description,
                    completed=state.done,
                    total=state.total,
                )
            elif state.what:  # a bar that had an end cannot lose it
                bars.remove_task(task.id)
                bars.add_task(state.what, total=None)

        yield advance


def _bars() -> Progress:
    from rich.console import Console  # 70 ms, where something is drawn
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.table import Column

    class Amount(DownloadColumn):
        def render(self, task):  # type: ignore[no-untyped-def]
            """Show an amount when there is one."""
            if task.total:
                return super().render(task)
            return ""

    return Progress(
        SpinnerColumn(),
        TextColumn(
            "{task.description}",
            markup=False,
            table_column=Column(no_wrap=True, overflow="ellipsis"),
        ),
        BarColumn(bar_width=24),
        Amount(binary_units=True),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
