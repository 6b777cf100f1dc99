"""Error responses, with the fields of MLflow 3's scoring server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from envkit.errors import gerund

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    404: "ENDPOINT_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "REQUEST_TIMEOUT",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    499: "CANCELLED",  # nginx's status for a client that closed the connection; no one reads it
    500: "INTERNAL_ERROR",
    502: "WORKER_DIED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

# The error classes of `mlflow.error_classification`, and their SQLSTATE.
SCHEMA_MISMATCH = "SCHEMA_ENFORCEMENT_FAILED"
MODEL_FAILED = "PREDICTION_FUNCTION_FAILED"
CLIENT_ERROR = "INVALID_PARAMETER_VALUE"
NOT_FOUND = "RESOURCE_NOT_FOUND"
SERVER_ERROR = "CLIENT_INTERNAL_ERROR"
SQL_STATES = {
    SCHEMA_MISMATCH: "KAM01",
    MODEL_FAILED: "KAM02",
    CLIENT_ERROR: "KAM00",
    NOT_FOUND: "KAM00",
    SERVER_ERROR: "XXM00",
}


class HttpError(Exception):
    """An error response.

    Attributes:
        status: The HTTP status.
        message: The text for the client.
        headers: Further headers of the response.
        traceback: The model's traceback, which a client sees only with `show_traceback`.
        code: The `error_code`; by default that of the status.
        error_class: The `error_class`; by default that of the status.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        traceback: str = "",
        code: str = "",
        error_class: str = "",
    ) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.traceback = traceback
        self.code = code or CODES.get(status, "INTERNAL_ERROR")
        self.error_class = error_class or _error_class(status)

    def body(self, *, show_traceback: bool) -> dict[str, Any]:
        """Give the JSON object of the response."""
        content = {
            "error_code": self.code,
            "message": self.message,
            "sqlstate": SQL_STATES[self.error_class],
            "error_class": self.error_class,
        }
        if show_traceback and self.traceback:
            content["stack_trace"] = self.traceback
        return content

    def response(self, *, show_traceback: bool = False) -> JSONResponse:
        """Give the response."""
        return JSONResponse(self.body(show_traceback=show_traceback), self.status, self.headers)


def _error_class(status: int) -> str:
    if status == 404:
        return NOT_FOUND
    return CLIENT_ERROR if status < 500 else SERVER_ERROR


def unavailable(message: str) -> HttpError:
    """Give the error for a request that can succeed later."""
    return HttpError(503, message, headers={"Retry-After": "1"})


def of_worker(header: Mapping[str, Any], *, show_traceback: bool) -> HttpError:
    """Give the error for a worker's `error` message; details are for the client's own faults."""
    if header["kind"] == "input":
        return _invalid_input(header)
    detail = f"{header['type']}, which the server's log explains"
    if show_traceback:
        detail = _raised(header)
    return HttpError(
        500,
        f"The model failed while {gerund(header['phase'])}: {detail}.",
        traceback=str(header["traceback"]),
        error_class=MODEL_FAILED,
    )


def _invalid_input(header: Mapping[str, Any]) -> HttpError:
    detail = _raised(header)
    if header["type"] == "InvalidInput":
        detail = header["message"]
    return HttpError(
        header.get("status", 400),
        f"Invalid input: {detail}.",
        code=header.get("code", ""),
        error_class=SCHEMA_MISMATCH if header.get("misfit") else "",
    )


def _raised(header: Mapping[str, Any]) -> str:
    """Describe the exception of an `error` message as Python prints it."""
    if not header["message"]:
        return str(header["type"])
    return f"{header['type']}: {header['message']}"
