"""What a client is told when there is no prediction: `error_code`, `message` and the rest as by MLflow 3's server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from envkit.errors import gerund

CODES = {
    400: "BAD_REQUEST",
    404: "ENDPOINT_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "REQUEST_TIMEOUT",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    499: "CANCELLED",  # nobody reads it; as nginx counts those
    500: "INTERNAL_ERROR",
    502: "WORKER_DIED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
# classes of errors, as `mlflow.error_classification` has them
MISFIT, MODEL, CALLER, NOT_FOUND, SERVER = (
    "SCHEMA_ENFORCEMENT_FAILED",
    "PREDICTION_FUNCTION_FAILED",
    "INVALID_PARAMETER_VALUE",
    "RESOURCE_NOT_FOUND",
    "CLIENT_INTERNAL_ERROR",
)
STATES = {MISFIT: "KAM01", MODEL: "KAM02", CALLER: "KAM00", NOT_FOUND: "KAM00", SERVER: "XXM00"}


class Refusal(Exception):
    """An answer that is no prediction. `traceback` is shown to a client only where that is wanted."""

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
        self.status, self.message, self.headers, self.traceback = (
            status,
            message,
            dict(headers or {}),
            traceback,
        )
        self.code = code or CODES.get(status, "INTERNAL_ERROR")
        self.error_class = error_class or (
            NOT_FOUND if status == 404 else CALLER if status < 500 else SERVER
        )

    def body(self, *, show_traceback: bool) -> dict[str, Any]:
        """Give the answer's JSON."""
        told = {
            "error_code": self.code,
            "message": self.message,
            "sqlstate": STATES[self.error_class],
            "error_class": self.error_class,
        }
        if show_traceback and self.traceback:
            return {**told, "stack_trace": self.traceback}
        return told

    def response(self, *, show_traceback: bool = False) -> JSONResponse:
        """Give the answer."""
        return JSONResponse(self.body(show_traceback=show_traceback), self.status, self.headers)


def busy(message: str) -> Refusal:
    """Refuse for now."""
    return Refusal(503, message, headers={"Retry-After": "1"})


def of_failure(header: Mapping[str, Any], *, show_traceback: bool) -> Refusal:
    """Give what a worker's `error` means: the caller's fault is told, the model's only where that is wanted."""
    if header["message"]:
        said = f"{header['type']}: {header['message']}"
    else:
        said = str(header["type"])
    if header["kind"] == "input":
        message = (
            f"Invalid input: {header['message'] if header['type'] == 'InvalidInput' else said}."
        )
        misfit = MISFIT if header.get("misfit") else ""
        return Refusal(
            header.get("status", 400), message, code=header.get("code", ""), error_class=misfit
        )
    if show_traceback:
        told = said
    else:
        told = f"{header['type']}, which the server's log explains"
    return Refusal(
        500,
        f"The model failed while {gerund(header['phase'])}: {told}.",
        traceback=str(header["traceback"]),
        error_class=MODEL,
    )
