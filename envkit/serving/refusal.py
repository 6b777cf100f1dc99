"""What a client is told when there is no prediction: `{"error_code", "message"}`, as by MLflow's server, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from envkit.child.inside import doing

CODES = {
    400: "BAD_REQUEST",
    404: "ENDPOINT_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "REQUEST_TIMEOUT",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    500: "INTERNAL_ERROR",
    502: "WORKER_DIED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Refusal(Exception):
    """An answer that is no prediction. `traceback` is shown to a client only where that is wanted."""

    def __init__(
        self, status: int, message: str, *, headers: Mapping[str, str] | None = None, traceback: str = ""
    ) -> None:
        super().__init__(status, message)
        self.status, self.message, self.headers, self.traceback = status, message, dict(headers or {}), traceback

    def body(self, *, show_traceback: bool) -> dict[str, Any]:
        """Give the answer's JSON."""
        told = {"error_code": CODES.get(self.status, "INTERNAL_ERROR"), "message": self.message}
        return {**told, "stack_trace": self.traceback} if show_traceback and self.traceback else told

    def response(self, *, show_traceback: bool = False) -> JSONResponse:
        """Give the answer."""
        return JSONResponse(self.body(show_traceback=show_traceback), self.status, self.headers)


def busy(message: str) -> Refusal:
    """Refuse for now."""
    return Refusal(503, message, headers={"Retry-After": "1"})


def of_failure(header: Mapping[str, Any], *, show_traceback: bool) -> Refusal:
    """Give what a worker's `error` means: the caller's fault is told, the model's only where that is wanted."""
    said = f"{header['type']}: {header['message']}" if header["message"] else str(header["type"])
    if header["kind"] == "input":
        return Refusal(400, f"Invalid input: {header['message'] if header['type'] == 'InvalidInput' else said}.")
    told = said if show_traceback else f"{header['type']}, which the server's log explains"
    return Refusal(500, f"The model failed to {doing(header['phase'])}: {told}.", traceback=str(header["traceback"]))
