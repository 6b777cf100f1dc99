"""Trace a model: one load and one prediction in a process of the chosen interpreter."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from envkit.capturing.trace import Trace
from envkit.capturing.trace_events import read_trace
from envkit.child import hidden_paths
from envkit.child.journal import Journal
from envkit.child.runner import run_inside
from envkit.child.sandbox import Confinement, Sandbox
from envkit.errors import (
    CaptureFailed,
    InvalidArgument,
    InvalidFile,
    ModelDied,
    ModelRaised,
    ModelTimedOut,
    NotAnInterpreter,
)
from envkit.interpreters.describe import describe
from envkit.interpreters.facts import InterpreterFacts
from envkit.interpreters.program import find_program
from envkit.interpreters.visible_paths import visible_paths
from envkit.models.directory import ModelDirectory


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceSettings:
    """How to run a model.

    Attributes:
        seconds: The time that it may take.
        python: The interpreter, by default the running one.
        memory_bytes: Address space that it may use, None for no limit.
        code_paths: Folders that modules may be imported from.
        confinement: What confines it.
        variables: Environment variables in addition to those of this process.
        typed_answer: A file for the answer with its types (`envkit.inside.data.wire`).
        without_mlflow: Whether the model must do with what the runner supplies of MLflow.
    """

    seconds: float
    python: str | Path | None = None
    memory_bytes: int | None = None
    code_paths: tuple[Path, ...] = ()
    confinement: Confinement | None = None
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    typed_answer: Path | None = None
    without_mlflow: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceRun:
    """What a run showed.

    Attributes:
        trace: What the model used.
        failure: What ended the run early.
    """

    trace: Trace
    failure: CaptureFailed | None


def describe_interpreter(settings: TraceSettings) -> InterpreterFacts:
    """Describe the Python that will run the model. Raises as `describe` does."""
    return describe(find_program(settings.python), environment=_environment(settings))


def trace_model(
    model: ModelDirectory,
    settings: TraceSettings,
    interpreter: InterpreterFacts,
) -> TraceRun:
    """Load the model, and predict on its example if it has one.

    The environment is the caller's own, because the model works in it today. Raises as `capture`
    says; a `CaptureFailed` only when the model did not begin to load.

    Args:
        model: The model.
        settings: How to run it.
        interpreter: What `describe_interpreter` found before the first run of the model.
    """
    program = find_program(settings.python)
    environment = _environment(settings)
    confinement = settings.confinement
    visible: tuple[Path, ...] = ()
    if confinement is not None:
        visible = tuple(visible_paths(interpreter, environment, model.own_places))
    try:
        journal = run_inside(
            program,
            _request(model, settings),
            environment=environment,
            timeout=settings.seconds,
            isolated=False,
            confinement=confinement,
            interpreter_paths=visible,
            readable=(*model.own_places, *settings.code_paths),
        )
    except OSError as error:
        raise NotAnInterpreter(str(program), error.strerror or str(error)) from error
    failure = _failure(journal, model, settings)
    if failure is not None and journal.phase == "start":
        raise failure
    sandbox = confinement.kind if confinement is not None else None
    trace = read_trace(journal.events, interpreter, sandbox)
    if failure is not None:
        trace = replace(trace, skipped=failure.summary)
    return TraceRun(trace=trace, failure=failure)


def was_visible(trace: Trace, model: ModelDirectory, settings: TraceSettings, path: Path) -> bool:
    """Whether the process of the model could read a file: a sandbox hides private places."""
    if trace.sandbox != Sandbox.BUBBLEWRAP:
        return True
    needed = (*model.own_places, *settings.code_paths, *map(Path, trace.interpreter.sys_path))
    return hidden_paths.is_visible(path, _environment(settings), needed)


def _request(model: ModelDirectory, settings: TraceSettings) -> dict[str, Any]:
    request = {**model.request(), "job": "trace", "memory_bytes": settings.memory_bytes}
    if settings.typed_answer is not None:
        request["typed"] = str(settings.typed_answer)
    if settings.without_mlflow:
        request["without_mlflow"] = True
    return request


def _environment(settings: TraceSettings) -> dict[str, str]:
    # the order of sets is the same in each run, so that two traces see the same
    environment = {"PYTHONHASHSEED": "0", **os.environ}
    if settings.code_paths:
        environment["PYTHONPATH"] = _search_path(settings.code_paths)
    return {**environment, **settings.variables}


def _search_path(code_paths: Sequence[Path]) -> str:
    for path in code_paths:
        if not path.is_dir() or os.pathsep in str(path):
            raise InvalidArgument(f"Python cannot import from the code path {path}.")
    folders = [str(path) for path in code_paths]
    if os.environ.get("PYTHONPATH"):
        folders.append(os.environ["PYTHONPATH"])
    return os.pathsep.join(folders)


def _failure(
    journal: Journal,
    model: ModelDirectory,
    settings: TraceSettings,
) -> CaptureFailed | None:
    error = journal.error
    if error is None:
        return _early_end(journal, settings)
    if error["kind"] == "input":
        problem = f"the input example cannot be used: {error['message']}"
        raise InvalidFile(model.example_path or model.path, "", problem)
    hint = ""
    if settings.confinement is not None:
        text = error["type"] + error["message"] + error["traceback"]
        hint = settings.confinement.hint(text)
    message = error["message"] + hint
    return ModelRaised(error["phase"], error["type"], message, error["traceback"])


def _early_end(journal: Journal, settings: TraceSettings) -> CaptureFailed | None:
    """The failure of a process that ended before its work was done, without an exception."""
    if journal.done:
        return None
    if journal.ended.timed_out:
        return ModelTimedOut(journal.phase, settings.seconds)
    return ModelDied(journal.phase, journal.ended.status, journal.failure)
