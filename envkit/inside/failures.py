"""The event `error`: an exception without the frames of this program."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any

from .data.signature import InvalidInput

FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
OWN_FRAMES = (FOLDER, "<frozen importlib")
KINDS = {
    "input": "input",
    "output": "output",
}  # whose fault an error is, by its phase; else "model"


class ForeignError(Exception):
    """What a model of another language raised. traceback: as that language prints it."""

    def __init__(self, message: str, traceback: str) -> None:
        super().__init__(message)
        self.traceback = traceback


def describe(error: BaseException, phase: str) -> dict[str, Any]:
    """Give the event `error` for what was raised in a phase."""
    event = {
        "event": "error",
        "phase": phase,
        "kind": KINDS.get(phase, "model"),
    }
    name = type(error).__name__
    try:
        return {
            **event,
            "type": name,
            "message": _message(error),
            "traceback": _traceback(error),
        }
    except MemoryError:
        return {
            **event,
            "type": name,
            "message": "",
            "traceback": "",
        }


def refusal(error: BaseException) -> dict[str, Any]:
    """Give what a worker adds to the event `error` when the request is at fault; else nothing.

    The model itself may say so: MLflow lets it raise an `MlflowException` with a code that stands
    for an HTTP status, and its checks of type hints do the same.
    """
    if isinstance(error, InvalidInput):
        code = "INVALID_PARAMETER_VALUE" if error.is_mismatch else "BAD_REQUEST"
        return {
            "kind": "input",
            "status": 400,
            "code": code,
            "misfit": error.is_mismatch,
        }
    if any(base.__name__ == "MlflowException" for base in type(error).__mro__):
        exception: Any = error
        status = int(exception.get_http_status_code())
        if 400 <= status < 500:
            code = str(exception.error_code)
            return {
                "kind": "input",
                "status": status,
                "code": code,
                "misfit": False,
            }
    return {}


def _message(error: BaseException) -> str:
    """Give the exception's text, which the model's own code may fail to make."""
    try:
        return str(error)
    except Exception as failure:
        return f"(its message could not be made: {type(failure).__name__})"


def _traceback(error: BaseException) -> str:
    """Give the traceback as Python prints it, or another language."""
    if isinstance(error, ForeignError):
        return error.traceback
    import traceback  # takes 5 ms, and most runs have no error

    _remove_own_frames(error, set())
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def _remove_own_frames(error: BaseException | None, seen: set[int]) -> None:
    """Remove the frames of this program and the import system, also from the causes."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    error.__traceback__ = _without_own_frames(error.__traceback__)
    _remove_own_frames(error.__cause__, seen)
    _remove_own_frames(error.__context__, seen)
    members = getattr(error, "exceptions", ())  # of an exception group
    if isinstance(members, tuple):
        for member in members:
            if isinstance(member, BaseException):
                _remove_own_frames(member, seen)


def _without_own_frames(trace: TracebackType | None) -> TracebackType | None:
    """Copy a traceback without the frames of this program."""
    kept = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(OWN_FRAMES):
            kept.append(trace)
        trace = trace.tb_next
    result = None
    for entry in reversed(kept):
        result = TracebackType(result, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return result
