"""The tracer: everything that records, installed together, with the phase that each event belongs to."""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any, Iterator

from ..journal import Journal
from .audit_hook import Audit
from .builtins_at_startup import names_in_builtins
from .callers import Callers, Launcher
from .child_processes import Launches
from .environment_variables import Variables
from .imports import OWN, Finder, ImportCalls
from .metadata_lookups import Named
from .native_libraries import libraries
from .origins import Origins, attributes_of


class Tracer:
    """Records from `install` until the process ends."""

    def __init__(self, journal: Journal, launch: dict[str, Any] | None = None) -> None:
        """`launch`: in a process that the traced one started, what it was told."""
        launch = launch or {"phase": "start", "by": None, "given": ()}
        self._journal = journal
        self._phase: str = launch["phase"]
        self._origins = Origins()
        callers = Callers(self._origins, Launcher(launch["by"]) if launch["by"] else None)
        given = set(launch["given"])
        self._named = Named(self._tell, callers)
        self._finder = Finder(self._tell, self._origins, callers, self._named.prepare)
        self._calls = ImportCalls(self._tell, self._origins, callers)
        self._variables = Variables(self._tell, callers, given)
        self._audit = Audit(self._tell, self._origins, callers, journal.path, self._finder.files)
        self._launches = Launches(journal.path, callers, lambda: self._phase, given)
        self._reported: set[str] = set()

    def install(self) -> None:
        """Begin to record."""
        for event in names_in_builtins(self._origins):
            self._journal.write(event)
        self._named.install()
        sys.meta_path.insert(0, self._finder)
        self._calls.install()
        self._variables.install()
        self._audit.install()
        self._launches.install()

    def enter(self, phase: str) -> None:
        """Let a phase begin."""
        self._phase = phase
        self._launches.refresh()

    def leave(self) -> None:
        """Let a phase end: tell of the modules that came to be without a finder, and of declared variables."""
        self._variables.note_settings()
        files = dict(self._untold())
        if files:
            self._reported.update(files)
            self._journal.write({"event": "module-files", "files": files})

    def finish(self) -> None:
        """Tell of the native libraries that were loaded."""
        found = libraries(self._origins.is_standard_file)
        if found:
            self._journal.write({"event": "libraries", "paths": found})

    def _untold(self) -> Iterator[tuple[str, str | None]]:
        for name, module in list(sys.modules.items()):
            if (
                name in self._finder.told
                or name in self._reported
                or name.partition(".")[0] in (OWN, "__main__")
            ):
                continue
            attributes = attributes_of(module)
            if not self._origins.is_standard_module(name, attributes):
                file = attributes.get("__file__")
                yield name, os.path.abspath(file) if isinstance(file, str) else None

    def _tell(self, **event: Any) -> None:
        event["phase"] = self._phase
        self._journal.write(event)


def join(launch: dict[str, Any]) -> None:
    """Record in a process that the traced one started, until it ends. Raises `OSError` when the journal is gone."""
    tracer = Tracer(Journal(launch["journal"], joins=True), launch)
    tracer.install()
    atexit.register(tracer.finish)
    atexit.register(tracer.leave)
