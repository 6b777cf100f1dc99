"""The jobs of the program, phase by phase."""

from __future__ import annotations

import json
import os
import sys
from itertools import islice
from typing import Any, Callable

from . import bytecode, failures, input_libraries, loading, standard_streams, worker
from .data import json_encoding, wire
from .data.requests import saved_example, scoring_request
from .data.signature import Signature
from .journal import Journal
from .request import Request
from .tracing.tracer import Tracer

PIECES_TRACED = 100  # of a stream, which may have no end


class Phases:
    """Records in the journal which phase the job is in.

    on_begin, on_end: called when a phase begins or ends; the tracer sets them.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.current = "start"
        self.on_begin: Callable[[str], None] = lambda name: None  # noqa: ARG005
        self.on_end: Callable[[], None] = lambda: None

    def begin(self, name: str) -> None:
        """End the current phase and begin another."""
        self.end()
        self.current = name
        self.journal.write({"event": "phase", "name": name})
        self.on_begin(name)

    def end(self) -> None:
        """End the current phase, if any. In a fork end the process: only the first one goes on."""
        if self.journal.is_forked:
            _exit(0)
        if self.current != "start":
            self.on_end()


def run(path: str) -> None:
    """Do what the request at `path` asks for, then end the process, also if threads still run."""
    with open(path, encoding="utf-8") as stream:
        request = json.load(stream)
    journal = Journal(request["journal"])
    phases = Phases(journal)
    status = 0
    try:
        _set_limits(request)
        JOBS[request["job"]](request, phases)
    except BaseException as error:
        status = 1
        if journal.is_forked:
            _exit(_report_in_fork(error))
        phases.end()
        journal.write(failures.describe(error, phases.current))
    else:
        if not journal.is_forked:
            journal.write({"event": "done"})
    _exit(status)


def _trace(request: Request, phases: Phases) -> None:
    """Load, predict on the example, and record what that needs."""
    # before the recording: its import reads variables of Python's own build, not of the model
    import sysconfig  # noqa: F401

    write = phases.journal.write
    tracer = Tracer(phases.journal)
    phases.on_begin, phases.on_end = tracer.enter, tracer.leave
    tracer.install()
    phases.begin("load")
    model = loading.load(request)
    example = request.get("example")
    phases.begin("input")
    input_libraries.import_them(model, request)
    if not example:
        phases.end()
        tracer.finish()
        write(
            {
                "event": "skipped",
                "phase": "predict",
                "why": "the model has no input example",
            }
        )
        return
    signature = Signature(request.get("signature"))
    data, params, _ = saved_example.load(example, signature, raw=model.read_raw)
    phases.begin("predict")
    answer = model.predict(data, params)
    if model.streams:
        _trace_stream(model, data, params, write)
    phases.begin("output")
    output = json_encoding.encode(answer, keep_infinities=True)
    if request.get("typed"):
        _write_typed(answer, request["typed"])
    phases.end()
    tracer.finish()
    write({"event": "prediction", "output": output})


def _trace_stream(
    model: Any, data: Any, params: Any, write: Callable[[dict[str, Any]], None]
) -> None:
    """Let the model also predict piece by piece.

    If it raises, that is recorded and the job goes on.
    """
    try:
        for _ in islice(model.predict_stream(data, params), PIECES_TRACED):
            pass
    except Exception as error:
        # without the message, which may quote the data
        write({"event": "unstreamed", "why": type(error).__name__})


def _write_typed(answer: Any, path: str) -> None:
    """Write the answer with its types, if it can be written so."""
    try:
        content = wire.dumps(answer)
    except wire.NotEncodable:
        return
    with open(path, "wb") as stream:
        stream.write(content)


def _predict(request: Request, phases: Phases) -> None:
    """Load, and predict on the input or the example."""
    phases.begin("load")
    model = loading.load(request)
    source = request["input"]
    example: Any = request.get("example")
    if not source and not example:
        return  # loading the model is all that can be tried
    phases.begin("input")
    signature = Signature(request.get("signature"))
    if source:
        model_input = scoring_request.parse_file(
            source,
            signature,
            raw=model.read_raw,
            params=request.get("params"),
            reader=model.reader,
        )
    else:
        model_input = saved_example.load(example, signature, raw=model.read_raw)
    phases.begin("predict")
    answer = model.predict(model_input.data, model_input.params)
    phases.begin("output")
    # answers to the example are compared with those of the trace
    predictions = json_encoding.encode(answer, keep_infinities=not source)
    json_encoding.write_predictions(predictions, request["output"])
    if request.get("limits"):  # confined, where no bytecode can be written
        phases.journal.write({"event": "uncompiled", "paths": bytecode.not_kept()})


def _work(request: Request, phases: Phases) -> None:
    """Load, then answer questions."""
    channel = worker.channel_of(request)
    phases.begin("load")
    worker.work(request, channel)


def _set_limits(request: Request) -> None:
    """Set the limits of the request on this process, for good, and on everything that it starts."""
    limits = dict(request.get("limits") or {})
    if request.get("memory_bytes"):
        limits["AS"] = request["memory_bytes"]
    if "AS" in limits:
        # there may be no memory left to import it when it is needed
        import traceback  # noqa: F401
    if limits:
        import resource  # not on Windows

        for name, limit in limits.items():
            kind = getattr(resource, "RLIMIT_" + name, None)
            if kind is not None:  # not every system has all of them
                _set_limit(resource, kind, limit)


def _set_limit(resource: Any, kind: int, limit: int) -> None:
    """Lower a limit; one that is lower already stays."""
    soft, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    if soft == resource.RLIM_INFINITY:
        soft = limit
    resource.setrlimit(kind, (min(soft, limit), limit))


def _report_in_fork(error: BaseException) -> int:
    """Report what a forked child raised as an interpreter does at its end; give the exit status."""
    if isinstance(error, SystemExit):
        if isinstance(error.code, int):
            return error.code
        return int(error.code is not None)
    sys.excepthook(type(error), error, error.__traceback__)
    return 1


def _exit(status: int) -> None:
    """End the process at once: threads and exit handlers of the model do not go on."""
    standard_streams.flush()
    os._exit(status)


JOBS: dict[str, Callable[[Request, Phases], None]] = {
    "trace": _trace,
    "predict": _predict,
    "work": _work,
}
