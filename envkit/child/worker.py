"""A model that is loaded once, in a process of its own, and answers over a socket.

`envkit/inside/worker.py` is the program; `envkit/inside/__main__.py` documents the messages.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.child import process, runner, scratch
from envkit.child.journal import Journal
from envkit.child.sandbox import Confinement
from envkit.child.variables import Variables


@dataclass(frozen=True, kw_only=True, slots=True)
class Worker:
    """A process that loads its model, or has loaded it. `channel` is the socket to it.

    It ends when this side closes the channel; `end` must be called in any case, which removes its
    private folder.
    """

    channel: socket.socket
    running: process.Running
    folder: Path
    undo: ExitStack
    confinement: Confinement | None

    def end(self, patience: float = 0.0) -> Journal:
        """End it, with all that it started, within `patience` seconds; return its journal."""
        self.channel.close()
        try:
            ended = self.running.end(patience)
            return runner.read_journal(self.folder, ended, self.confinement)
        finally:
            self.undo.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Preparation:
    """What a worker is started with; collecting it takes a while when it is confined."""

    argv: Sequence[str | Path]
    variables: Variables
    folder: Path
    undo: ExitStack
    channels: tuple[socket.socket, socket.socket]
    confinement: Confinement | None


def prepare(
    python: Path,
    request: Mapping[str, Any],
    *,
    environment: Variables,
    isolated: bool,
    confinement: Confinement | None = None,
    interpreter_paths: Sequence[Path] = (),
) -> Preparation:
    """Prepare what a worker needs. `request` is that of the job `work` without `channel`.

    The rest is as for `runner.run_inside`, also what it raises.
    """
    with ExitStack() as undo:
        folder = undo.enter_context(scratch.folder())
        ours, theirs = socket.socketpair()
        undo.enter_context(ours)
        undo.enter_context(theirs)
        argv, variables = runner.prepare(
            python,
            {**request, "job": "work", "channel": theirs.fileno()},
            folder,
            environment=environment,
            timeout=None,
            isolated=isolated,
            confinement=confinement,
            interpreter_paths=interpreter_paths,
        )
        return Preparation(
            argv=argv,
            variables=variables,
            folder=folder,
            undo=undo.pop_all(),
            channels=(ours, theirs),
            confinement=confinement,
        )


def start(preparation: Preparation, *, inherit: Sequence[int] = ()) -> Worker:
    """Start a worker; it reports over its channel when it has loaded its model.

    On Linux it ends at the latest with the thread that calls this. `inherit` are descriptors that
    it keeps open. Raises `OSError` when the interpreter cannot be started.
    """
    ours, theirs = preparation.channels
    with ExitStack() as undo:
        undo.push(preparation.undo)
        running = process.start(
            preparation.argv, environment=preparation.variables, inherit=[theirs.fileno(), *inherit]
        )
        theirs.close()
        return Worker(
            channel=ours,
            running=running,
            folder=preparation.folder,
            undo=undo.pop_all(),
            confinement=preparation.confinement,
        )
