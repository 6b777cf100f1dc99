"""The jobs, phase by phase."""

from __future__ import annotations

import json
import os
import sys
from itertools import islice
from typing import Any, Callable, Mapping

from . import failures
from .journal import Journal

# whose fault it is when a phase raises; else the model's
KINDS = {"input": "input", "output": "output"}
PIECES_TRACED = 100  # of a stream; some have no end


def run(path: str) -> None:
    """Do what the request at `path` asks, then end the process at once, whatever threads still run."""
    with open(path, encoding="utf-8") as stream:
        request = json.load(stream)
    journal = Journal(request["journal"])
    phases = Phases(journal)
    status = 0
    try:
        _limit(request)
        jobs = {"describe": _describe, "trace": _trace, "predict": _predict, "work": _work}
        jobs[request["job"]](request, phases)
    except BaseException as error:
        status = 1
        if journal.is_forked:
            _leave(_report_in_fork(error))
        phases.end()
        journal.write(failures.describe(error, phases.current, KINDS.get(phases.current, "model")))
    else:
        if not journal.is_forked:
            journal.write({"event": "done"})
    _leave(status)


class Phases:
    """Tells the journal, and the tracer if there is one, where the job stands."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.current = "start"
        self.on_begin: Callable[[str], None] = lambda name: None  # noqa: ARG005
        self.on_end: Callable[[], None] = lambda: None
        self.on_finish: Callable[[], None] = lambda: None

    def begin(self, name: str) -> None:
        """End the phase that runs and begin another."""
        self.end()
        self.current = name
        self.journal.write({"event": "phase", "name": name})
        self.on_begin(name)

    def end(self) -> None:
        """End the phase that runs, if one does; in a fork end the process: the rest is for the first one."""
        if self.journal.is_forked:
            _leave(0)
        if self.current != "start":
            self.on_end()


def _describe(request: Mapping[str, Any], phases: Phases) -> None:  # noqa: ARG001 - as the other jobs
    from . import interpreter

    phases.journal.write(interpreter.describe())


def _trace(request: Mapping[str, Any], phases: Phases) -> None:
    from . import interpreter, loading
    from .data import answer, payload
    from .tracing.tracer import Tracer

    write = phases.journal.write
    write(interpreter.describe())
    tracer = Tracer(phases.journal)
    phases.on_begin, phases.on_end = tracer.enter, tracer.leave
    phases.on_finish = tracer.finish
    tracer.install()
    phases.begin("load")
    model = loading.load(request)
    example = request.get("example")
    if not example:
        phases.end()
        phases.on_finish()
        write({"event": "skipped", "phase": "predict", "why": "the model has no input example"})
        return
    phases.begin("input")
    data, params = payload.from_example(example, request, model.takes_raw_inputs)
    phases.begin("predict")
    result = model.predict(data, params)
    if model.streams:
        _stream(model, data, params, write)
    phases.begin("output")
    output = answer.encode(result, infinite=True)
    if request.get("typed"):
        _keep(result, request["typed"])
    phases.end()
    phases.on_finish()
    write({"event": "prediction", "output": output})


def _stream(model: Any, data: Any, params: Any, write: Callable[[dict[str, Any]], None]) -> None:
    """Let the model predict piece by piece, too. That it raises is told, without what it says, and ends nothing."""
    try:
        for _ in islice(model.predict_stream(data, params), PIECES_TRACED):
            pass
    except Exception as error:
        write({"event": "unstreamed", "why": type(error).__name__})


def _keep(result: Any, path: str) -> None:
    """Write the answer with its types, where it has a form that keeps them."""
    from .data import answer, wire

    try:
        content = wire.dumps(result)
    except answer.NotEncodable:
        return
    with open(path, "wb") as stream:
        stream.write(content)


def _predict(request: Mapping[str, Any], phases: Phases) -> None:
    from . import loading
    from .data import answer, payload
    from .tracing import bytecode

    phases.begin("load")
    model = loading.load(request)
    if not request["input"] and not request.get("example"):
        return  # to load it is all that can be tried
    phases.begin("input")
    if request["input"]:
        data, params = payload.from_file(
            request["input"], request, model.takes_raw_inputs, model.reader
        )
    else:
        data, params = payload.from_example(request["example"], request, model.takes_raw_inputs)
    phases.begin("predict")
    result = model.predict(data, params)
    phases.begin("output")
    answer.write(answer.encode(result, infinite=not request["input"]), request["output"])
    if request.get("limits"):  # confined, where nothing can be written
        phases.journal.write({"event": "uncompiled", "paths": bytecode.not_kept()})


def _work(request: Mapping[str, Any], phases: Phases) -> None:
    from . import worker

    channel = worker.channel_of(request)
    phases.begin("load")
    worker.work(request, channel)


def _limit(request: Mapping[str, Any]) -> None:
    """Put the limits of the request on this process, for good, and on all that it starts."""
    limits = dict(request.get("limits") or {})
    if request.get("memory_bytes"):
        limits["AS"] = request["memory_bytes"]
    if "AS" in limits:
        import traceback  # noqa: F401 - there may be no memory left to import it when it is needed
    if limits:
        import resource

        for name, most in limits.items():
            kind = getattr(resource, "RLIMIT_" + name, None)
            if kind is not None:  # not every system has them all
                soft, hard = resource.getrlimit(kind)
                if hard != resource.RLIM_INFINITY:
                    most = min(most, hard)
                resource.setrlimit(
                    kind, (most if soft == resource.RLIM_INFINITY else min(soft, most), most)
                )


def _report_in_fork(error: BaseException) -> int:
    """Do as an interpreter does at its end with what a forked child raised; give the child's exit status."""
    if isinstance(error, SystemExit):
        if isinstance(error.code, int):
            return error.code
        return int(error.code is not None)
    sys.excepthook(type(error), error, error.__traceback__)
    return 1


def _leave(status: int) -> None:
    flush()
    os._exit(status)


def flush() -> None:
    """Let what the model has printed be seen now."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (
            Exception
        ):  # closed, replaced or None: the model's own doing, and nothing depends on it
            continue
