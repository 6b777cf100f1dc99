"""Traces: what a child process reports, without one."""

from __future__ import annotations

from typing import Any

from envkit.capturing.places import Places
from envkit.capturing.trace import Trace
from envkit.capturing.trace_events import read_trace
from envkit.installed.distributions import InstalledDistributions
from envkit.interpreters.facts import InterpreterFacts
from tests.builders.sites import Site

READER = {"reader": "model", "reader_file": None, "line": 1, "phase": "predict"}


def traced(site: Site, *events: dict[str, Any], python: str | None = None) -> tuple[Trace, Places]:
    """Give the trace of an interpreter that uses the site folder, with these events."""
    interpreter = InterpreterFacts(
        executable=python or str(site.folder.parents[2] / "bin" / "python"),
        version="3.11.7",
        implementation="cpython",
        platform="linux-x86_64",
        sys_path=(str(site.folder),),
    )
    trace = read_trace(events, interpreter)
    distributions = InstalledDistributions(trace.interpreter.sys_path)
    return trace, Places(trace, distributions, site.folder.parents[3] / "model")


def process_event(program: str | None, *argv: str) -> dict[str, Any]:
    """Give the event of a program that the model starts."""
    return {"event": "process", "argv": list(argv), "program": program, **READER}
