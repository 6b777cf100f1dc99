"""Prediction requests as they arrive over HTTP; their content is not read."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import Message
from typing import IO

from starlette.requests import ClientDisconnect, Request

from envkit.serving import http_errors
from envkit.serving.http_errors import HttpError

CONTENT_KINDS = {
    "application/json": "json",
    "text/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
}

# Larger bodies are kept in a temporary file, so that many of them cost no memory.
BYTES_IN_MEMORY = 256_000

# What a client sent is repeated in an answer up to this length.
MAX_SHOWN = 200

# The bodies of all requests together may be this many times as large as one body.
BODIES_AT_ONCE = 10

# A client must send this much of a body, or its end, within this time.
STEP_BYTES = 64_000
STEP_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PredictionRequest:
    """A request for a prediction.

    kind: `json`, `csv` or `parquet`. body: its content, at the beginning. size: in bytes.
    is_disconnected: whether the client closed the connection.
    """

    kind: str
    body: IO[bytes]
    size: int
    is_disconnected: Callable[[], Awaitable[bool]]

    async def check_connection(self) -> None:
        """Raise `HttpError` if no client waits for the answer."""
        if await self.is_disconnected():
            raise HttpError(499, "The client closed the connection.")


def content_kind(request: Request) -> str:
    """Give the kind of a body by its Content-Type.

    Raises `HttpError`, also for any charset but UTF-8.
    """
    content_type = ", ".join(request.headers.getlist("content-type"))  # two headers are malformed
    parsed = Message()
    parsed["content-type"] = content_type
    # `get_content_type` answers text/plain for what is malformed.
    kind = CONTENT_KINDS.get(parsed.get_content_type()) if "/" in content_type else None
    if kind is None:
        known = ", ".join(CONTENT_KINDS)
        raise HttpError(
            415, f"The Content-Type must be one of {known}, not {content_type[:MAX_SHOWN]!r}."
        )
    for name, value in (parsed.get_params() or [])[1:]:
        if not isinstance(value, str):  # RFC 2231's `charset*=utf-8''utf-8`, not for HTTP
            raise HttpError(415, f"The parameter {name!r} of the Content-Type must be plain.")
        if name.lower() != "charset":
            raise HttpError(
                415, f"The Content-Type must not have the parameter {name[:MAX_SHOWN]!r}."
            )
        if value.lower() != "utf-8":
            raise HttpError(415, f"The charset must be utf-8, not {value[:MAX_SHOWN]!r}.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HttpError(415, "Compressed bodies are not supported: omit Content-Encoding.")
    return kind


class BodyStore:
    """Keeps the bodies of requests, each and all together up to a size."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._free = max_body * BODIES_AT_ONCE

    async def receive(self, request: Request, kind: str) -> PredictionRequest:
        """Receive a request's body; the caller closes it with `release`.

        Raises `HttpError` when it is too large or too slow, or there is no room for it.
        """
        announced = request.headers.get("content-length", "0")
        # More digits are too large in any case, and Python limits how many it converts.
        if announced.isdigit() and int(announced[:20]) > self._max_body:
            raise _too_large(self._max_body)
        body = tempfile.SpooledTemporaryFile(BYTES_IN_MEMORY, prefix="envkit-")  # noqa: SIM115 - the caller closes it
        reserved = 0

        def reserve(size: int) -> None:
            nonlocal reserved
            if size > self._free:
                raise http_errors.unavailable("The requests at work are too large for another one.")
            self._free -= size
            reserved += size

        try:
            size = await _fill(body, request, self._max_body, reserve)
            body.seek(0)
        except BaseException as error:
            body.close()
            self._free += reserved
            if isinstance(error, OSError):  # as when the temporary folder is full
                raise http_errors.unavailable(f"No room for the body: {error.strerror}.") from None
            raise
        return PredictionRequest(
            kind=kind, body=body, size=size, is_disconnected=request.is_disconnected
        )

    def release(self, received: PredictionRequest) -> None:
        """Close a body."""
        received.body.close()
        self._free += received.size


async def _fill(
    body: IO[bytes], request: Request, max_body: int, reserve: Callable[[int], None]
) -> int:
    """Copy the request's content into the body and give its size."""
    size = 0
    deadline_size = STEP_BYTES
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(STEP_SECONDS) as deadline:
            async for chunk in request.stream():
                size += len(chunk)
                if size > max_body:
                    raise _too_large(max_body)
                reserve(len(chunk))
                body.write(chunk)
                if size >= deadline_size:
                    deadline_size = size - size % STEP_BYTES + STEP_BYTES
                    deadline.reschedule(loop.time() + STEP_SECONDS)
    except TimeoutError:
        message = "The body arrived too slowly."
        raise HttpError(408, message, headers={"Connection": "close"}) from None
    except ClientDisconnect:
        message = "The body is incomplete."
        raise HttpError(400, message, headers={"Connection": "close"}) from None
    return size


def _too_large(max_body: int) -> HttpError:
    return HttpError(413, f"The body is larger than the limit of {max_body:,} bytes.")
