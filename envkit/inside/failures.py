"""What the model raised, told without the frames of this program."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any

from .data.signature import InvalidInput

FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Foreign(Exception):
    """What a model of another language raised. traceback: as that language prints it."""

    def __init__(self, message: str, traceback: str) -> None:
        super().__init__(message)
        self.traceback = traceback


def refusal(error: BaseException) -> dict[str, Any]:
    """Give what is told of an error beside the event `error` when whoever asked is at fault; nothing otherwise.

    That may be the model's own verdict: MLflow lets it raise an `MlflowException` with a code that
    stands for a status of HTTP, and so do its checks of type hints.
    """
    if isinstance(error, InvalidInput):
        if error.is_misfit:
            code = "INVALID_PARAMETER_VALUE"
        else:
            code = "BAD_REQUEST"
        return {"kind": "input", "status": 400, "code": code, "misfit": error.is_misfit}
    if any(each.__name__ == "MlflowException" for each in type(error).__mro__):
        told: Any = error
        status = int(told.get_http_status_code())
        if 400 <= status < 500:
            return {
                "kind": "input",
                "status": status,
                "code": str(told.error_code),
                "misfit": False,
            }
    return {}


def describe(error: BaseException, phase: str, kind: str) -> dict[str, Any]:
    """Give the event `error`."""
    try:
        return _described(error, phase, kind)
    except MemoryError:
        bare = {"event": "error", "phase": phase, "kind": kind, "message": "", "traceback": ""}
        return {**bare, "type": type(error).__name__}


def _described(error: BaseException, phase: str, kind: str) -> dict[str, Any]:
    import traceback

    _clean(error, set())
    try:
        message = str(error)
    except Exception as failure:
        message = f"(its message could not be made: {type(failure).__name__})"
    return {
        "event": "error",
        "phase": phase,
        "kind": kind,
        "type": type(error).__name__,
        "message": message,
        "traceback": error.traceback
        if isinstance(error, Foreign)
        else "".join(traceback.format_exception(type(error), error, error.__traceback__)),
    }


def _clean(error: BaseException | None, seen: set[int]) -> None:
    """Take this program's frames, and those of the import system, out of an exception and those behind it."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    error.__traceback__ = _without_own(error.__traceback__)
    _clean(error.__cause__, seen)
    _clean(error.__context__, seen)
    members = getattr(error, "exceptions", ())
    for member in members if isinstance(members, tuple) else ():
        if isinstance(member, BaseException):
            _clean(member, seen)


def _without_own(trace: TracebackType | None) -> TracebackType | None:
    kept = []
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith(FOLDER) and not file.startswith("<frozen importlib"):
            kept.append(trace)
        trace = trace.tb_next
    result = None
    for each in reversed(kept):
        result = TracebackType(result, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return result
