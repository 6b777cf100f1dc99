"""Trace a model: one load and one prediction in a process of the chosen interpreter."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from envkit.capturing.trace import Trace, from_events
from envkit.child.journal import Journal
from envkit.child.runner import run_inside
from envkit.child.sandbox import Confinement
from envkit.errors import (
    CaptureFailed,
    InvalidArgument,
    InvalidFile,
    ModelDied,
    ModelRaised,
    ModelTimedOut,
    NotAnInterpreter,
    gerund,
)
from envkit.interpreters.describe import describe
from envkit.interpreters.facts import InterpreterFacts
from envkit.interpreters.program import find_program
from envkit.interpreters.visible_paths import visible_paths
from envkit.models.directory import ModelDirectory


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one trace may take: seconds, bytes of address space (None: no limit), and modules from which folders.

    confinement: what confines it. variables: those that it is given besides the caller's. typed: a
    file for the answer with its types (`envkit.inside.data.wire`). without_mlflow: it must do with
    what the runner supplies of that.
    """

    seconds: float
    memory_bytes: int | None = None
    code_paths: tuple[Path, ...] = ()
    confinement: Confinement | None = None
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    typed: Path | None = None
    without_mlflow: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Traced:
    """What was seen, and what ended it before its time, if something did."""

    trace: Trace
    failure: CaptureFailed | None


def trace_model(model: ModelDirectory, python: str | Path | None, limits: Limits) -> Traced:
    """Load the model and predict on its example in `python` (default: the running interpreter).

    The environment is the caller's own: the model works in it today. Only the order of sets is
    fixed, so that two traces see the same. Raises as `capture` says, a `CaptureFailed` when the
    model did not even begin to load.
    """
    environment = {
        "PYTHONHASHSEED": "0",
        **os.environ,
        **_search_path(limits.code_paths),
        **limits.variables,
    }
    request = {**model.request(), "job": "trace", "memory_bytes": limits.memory_bytes}
    request |= {"typed": str(limits.typed)} if limits.typed else {}
    request |= {"without_mlflow": True} if limits.without_mlflow else {}
    # from a process that ends before that of the model starts: nothing of the model can change it
    program = find_program(python)
    interpreter = describe(program, environment=environment)
    visible: tuple[Path, ...] = ()
    if limits.confinement is not None:
        visible = tuple(visible_paths(interpreter, environment))
    try:
        journal = run_inside(
            program,
            request,
            environment=environment,
            timeout=limits.seconds,
            isolated=False,
            confinement=limits.confinement,
            interpreter_paths=visible,
            readable=(*model.own_places, *limits.code_paths),
        )
    except OSError as error:
        raise NotAnInterpreter(str(program), error.strerror or str(error)) from error
    failure = _failure(journal, model, limits)
    if failure is None:
        return Traced(trace=_trace(journal, interpreter, limits), failure=None)
    if journal.phase == "start":
        raise failure
    trace = _trace(journal, interpreter, limits)
    return Traced(trace=replace(trace, skipped=_in_short(failure)), failure=failure)


def _trace(journal: Journal, interpreter: InterpreterFacts, limits: Limits) -> Trace:
    return replace(
        from_events(journal.events, interpreter),
        sandbox=limits.confinement.kind if limits.confinement else None,
    )


def _search_path(code_paths: Sequence[Path]) -> dict[str, str]:
    for each in code_paths:
        if not each.is_dir() or os.pathsep in str(each):
            raise InvalidArgument(f"The code path {each} is no folder that Python can import from.")
    if os.environ.get("PYTHONPATH"):
        before = [os.environ["PYTHONPATH"]]
    else:
        before = []
    if code_paths:
        return {"PYTHONPATH": os.pathsep.join([*map(str, code_paths), *before])}
    return {}


def _failure(journal: Journal, model: ModelDirectory, limits: Limits) -> CaptureFailed | None:
    error = journal.error
    if error is not None:
        if error.get("kind") == "input":
            raise InvalidFile(
                model.example_path or model.path,
                "",
                f"the input example cannot be used: {error['message']}",
            )
        said = error["type"] + error["message"] + error["traceback"]
        if limits.confinement:
            hint = limits.confinement.hint(said)
        else:
            hint = ""
        return ModelRaised(
            error["phase"], error["type"], error["message"] + hint, error["traceback"]
        )
    if journal.done:
        return None
    if journal.ended.timed_out:
        return ModelTimedOut(journal.phase, limits.seconds)
    return ModelDied(journal.phase, journal.ended.status, journal.ended.how)


def _in_short(failure: CaptureFailed) -> str:
    """The failure without what the model said: it may hold what must not be written."""
    if isinstance(failure, ModelRaised):
        return f"the model raised {failure.kind} while {gerund(failure.phase)}"
    said = str(failure).partition(".")[0]
    return said[:1].lower() + said[1:]
