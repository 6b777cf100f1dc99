"""Progress on standard error: bars on a terminal, lines elsewhere, nothing with `-q`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from envkit.child.progress import Advance, State
from envkit.cli import output
from envkit.formats.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress

_DUMB_TERMINALS = {"dumb", "unknown", ""}


def report(*, only_verbose: bool = False) -> Lines | Bars:
    """Give the `report` that a command passes to the library.

    `only_verbose` hides lines, but not bars, unless `-v` is given.
    """
    if _can_draw(os.environ):
        return Bars(only_verbose)
    return Lines(only_verbose)


def _can_draw(environ: Mapping[str, str]) -> bool:
    """Whether standard error is a terminal that can draw, outside CI and without `-q`."""
    in_ci = environ.get("CI", "").lower() not in {"", "0", "false"}
    if in_ci or output.is_quiet() or environ.get("TERM", "") in _DUMB_TERMINALS:
        return False
    return sys.stderr is not None and sys.stderr.isatty()


class Lines:
    """Prints a line for each step that takes time."""

    def __init__(self, only_verbose: bool = False) -> None:
        self._only_verbose = only_verbose

    def __call__(self, line: str, /) -> None:
        """Print a line."""
        output.note(line, only_verbose=self._only_verbose)

    def step(self, what: str) -> AbstractContextManager[Advance]:  # noqa: ARG002 - a line announced it
        """Print the lines of a step."""
        return nullcontext(self._print_line)

    def _print_line(self, state: State) -> None:
        if state.line:
            self(state.line)


class Bars(Lines):
    """Draws a bar while a step runs, and removes it afterwards."""

    def step(self, what: str) -> AbstractContextManager[Advance]:
        """Draw the bar of a step."""
        return _bar(what)


@contextmanager
def _bar(what: str) -> Iterator[Advance]:
    bars = _new_bars()
    with bars:
        bars.add_task(printable(what), total=None)

        def advance(state: State) -> None:
            (task,) = bars.tasks
            if state.total:
                bars.update(
                    task.id,
                    description=printable(state.what) or task.description,
                    completed=state.done,
                    total=state.total,
                )
            elif state.what:
                # rich cannot take the total away from a task that has one.
                bars.remove_task(task.id)
                bars.add_task(printable(state.what), total=None)

        yield advance


def _new_bars() -> Progress:
    from rich.console import Console  # 70 ms, only where something is drawn
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.table import Column

    class AmountColumn(DownloadColumn):
        def render(self, task):  # type: ignore[no-untyped-def]
            """Show the amount if the total is known."""
            if task.total:
                return super().render(task)
            return ""

    description = TextColumn(
        "{task.description}",
        markup=False,
        table_column=Column(no_wrap=True, overflow="ellipsis"),
    )
    return Progress(
        SpinnerColumn(),
        description,
        BarColumn(bar_width=24),
        AmountColumn(binary_units=True),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
