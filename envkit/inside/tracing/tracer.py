"""The tracer: everything that records, installed together."""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any, Iterator, Mapping

from ..journal import Journal
from .audit_hook import AuditHook
from .builtins_at_startup import foreign_names
from .callers import Callers, Launcher
from .child_processes import ChildProcesses
from .environment_variables import EnvironmentVariables
from .imports import OWN, ImportCalls, RecordingFinder
from .metadata_lookups import MetadataLookups
from .native_libraries import loaded_libraries
from .origins import Origins, attributes_of, top_level

LEFT_OUT = (OWN, "__main__")
FIRST_PROCESS: Mapping[str, Any] = {
    "phase": "start",
    "by": None,
    "own_variables": (),
}


class Tracer:
    """Records from `install` until the process ends."""

    def __init__(self, journal: Journal, launch: Mapping[str, Any] = FIRST_PROCESS) -> None:
        """`launch`: in a process that the traced one started, what `child_processes` passed on."""
        self._journal = journal
        self._phase: str = launch["phase"]
        self._reported: set[str] = set()  # modules in events `module-files`
        self._origins = Origins()
        launcher = Launcher(launch["by"]) if launch["by"] else None
        callers = Callers(self._origins, launcher)
        own_variables = set(launch["own_variables"])
        record = self._record
        self._metadata_lookups = MetadataLookups(record, callers)
        self._finder = RecordingFinder(
            record, self._origins, callers, self._metadata_lookups.prepare
        )
        self._import_calls = ImportCalls(record, self._origins, callers)
        self._variables = EnvironmentVariables(record, callers, own_variables)
        self._audit_hook = AuditHook(
            record, self._origins, callers, journal.path, self._finder.files
        )
        self._child_processes = ChildProcesses(
            journal.path, callers, lambda: self._phase, own_variables
        )

    def install(self) -> None:
        """Start to record."""
        for event in foreign_names(self._origins):
            self._journal.write(event)
        self._metadata_lookups.install()
        sys.meta_path.insert(0, self._finder)
        self._import_calls.install()
        self._variables.install()
        self._audit_hook.install()
        self._child_processes.install()

    def enter(self, phase: str) -> None:
        """Begin a phase."""
        self._phase = phase
        self._child_processes.refresh()

    def leave(self) -> None:
        """End a phase: record settings classes' variables, and modules that no event has named."""
        self._variables.note_settings()
        files = dict(self._modules_without_event())
        if files:
            self._reported.update(files)
            self._journal.write({"event": "module-files", "files": files})

    def finish(self) -> None:
        """Record the native libraries that are loaded."""
        paths = loaded_libraries(self._origins.is_standard_file)
        if paths:
            self._journal.write({"event": "libraries", "paths": paths})

    def _modules_without_event(self) -> Iterator[tuple[str, str | None]]:
        """Yield each new module that came without the finder, with its file."""
        for name, module in list(sys.modules.items()):
            if name in self._finder.recorded or name in self._reported:
                continue
            if top_level(name) in LEFT_OUT:
                continue
            attributes = attributes_of(module)
            if self._origins.is_standard_module(name, attributes):
                continue
            file = attributes.get("__file__")
            yield name, os.path.abspath(file) if isinstance(file, str) else None

    def _record(self, **event: Any) -> None:
        """Write an event with the current phase."""
        event["phase"] = self._phase
        self._journal.write(event)


def join(launch: dict[str, Any]) -> None:
    """Record in a process that the traced one started, until it ends.

    Raises `OSError` without a journal.
    """
    tracer = Tracer(Journal(launch["journal"], joins=True), launch)
    tracer.install()
    atexit.register(tracer.finish)
    atexit.register(tracer.leave)
