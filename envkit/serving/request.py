"""A request for a prediction, as it comes over HTTP: checked from outside, not yet read."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import Message
from typing import IO

from starlette.requests import ClientDisconnect, Request

from envkit.serving.refusal import Refusal

KINDS = {"application/json": "json", "text/csv": "csv", "application/vnd.apache.parquet": "parquet"}
# bytes of a body; the rest is kept in a temporary file, so that many large ones cost no memory
IN_MEMORY = 256_000
STEP, STEP_SECONDS = 64_000, 10.0  # so much of a body must come in this time, or its end


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is to be predicted on.

    kind: `json`, `csv` or `parquet`. body: is at its beginning. size: in bytes. is_abandoned: tells
    whether who asked has gone.
    """

    kind: str
    body: IO[bytes]
    size: int
    is_abandoned: Callable[[], Awaitable[bool]]

    async def check_is_wanted(self) -> None:
        """Raise `Refusal` when who asked has gone."""
        if await self.is_abandoned():
            raise Refusal(499, "The client has gone.")


def kind_of(request: Request) -> str:
    """Tell the kind of a body by its Content-Type. Raises `Refusal`: only UTF-8 is taken, and no other parameter."""
    given = ", ".join(request.headers.getlist("content-type"))  # two are none
    parsed = Message()
    parsed["content-type"] = given
    if "/" in given:
        kind = KINDS.get(parsed.get_content_type())
    else:
        kind = None
    if kind is None:
        known = ", ".join(KINDS)
        raise Refusal(415, f"The Content-Type must be one of {known}; it is {given!r}.")
    for name, value in (parsed.get_params() or [])[1:]:
        if name.lower() != "charset":
            raise Refusal(
                415, f"The Content-Type may have no parameter but charset; it has {name!r}."
            )
        if value.lower() != "utf-8":
            raise Refusal(415, f"The charset must be utf-8; it is {value!r}.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "A compressed body is not taken: leave out Content-Encoding.")
    return kind


async def received(request: Request, kind: str, max_body: int) -> Question:
    """Receive a request's body. The caller closes `body`. Raises `Refusal` when it is too large or too slow."""
    told = request.headers.get("content-length", "0")
    if told.isdigit() and int(told) > max_body:
        raise _too_large(max_body)
    body = tempfile.SpooledTemporaryFile(IN_MEMORY, prefix="envkit-")  # noqa: SIM115 - the caller closes it
    try:
        size = await _fill(body, request, max_body)
    except BaseException:
        body.close()
        raise
    body.seek(0)
    return Question(kind=kind, body=body, size=size, is_abandoned=request.is_disconnected)


async def _fill(body: IO[bytes], request: Request, max_body: int) -> int:
    size = step = 0
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(STEP_SECONDS) as limit:
            async for chunk in request.stream():
                size += len(chunk)
                if size > max_body:
                    raise _too_large(max_body)
                body.write(chunk)
                if size // STEP > step:
                    step = size // STEP
                    limit.reschedule(loop.time() + STEP_SECONDS)
    except TimeoutError:
        raise Refusal(408, "The body came too slowly.", headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise Refusal(400, "The body is not complete.", headers={"Connection": "close"}) from None
    return size


def _too_large(max_body: int) -> Refusal:
    return Refusal(
        413, f"The body is larger than {max_body:,} bytes, which is the limit of this server."
    )
