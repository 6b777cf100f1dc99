"""The endpoints: `/invocations`, `/ping`, `/health`, `/version` as MLflow's scoring server has them, and `/metrics`."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from envkit.serving import refusal
from envkit.serving import request as question
from envkit.serving.metrics import CONTENT_TYPE, Meters
from envkit.serving.options import Settings
from envkit.serving.pool import Pool
from envkit.serving.refusal import Refusal
from envkit.serving.request import Question

EVENTS = "text/event-stream"
Pieces = AsyncGenerator[bytes, None]
LONGEST_PATH = 200  # of one that is unknown, in the answer
SMALL = 1_000_000  # bytes of a request in which it is looked for the wish for a stream


class Application:
    """Answers requests by the workers of a pool."""

    def __init__(self, pool: Pool, settings: Settings, meters: Meters) -> None:
        self._pool, self._settings, self._meters = pool, settings, meters

    def asgi(self) -> Starlette:
        """Give the application that uvicorn runs."""
        routes = [
            Route("/invocations", self._invocations, methods=["POST"]),
            Route("/ping", self._ping),
            Route("/health", self._ping),
            Route("/version", self._version),
            Route("/metrics", self._metrics),
        ]
        handlers = {HTTPException: _refused_by_routing}
        return Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]

    async def _ping(self, _: Request) -> Response:
        if not self._pool.is_ready:
            return refusal.busy("The model is not loaded.").response()
        return Response("\n", media_type="application/json")  # as MLflow's server says

    async def _version(self, _: Request) -> Response:
        return Response(version("envkit"), media_type="application/json")

    async def _metrics(self, _: Request) -> Response:
        return Response(self._meters.text(), headers={"Content-Type": CONTENT_TYPE})

    async def _invocations(self, request: Request) -> Response:
        started = time.perf_counter()
        with self._meters.in_flight.track_inprogress():
            try:
                response = await self._answered(request)
            except Refusal as error:
                response = error.response(show_traceback=self._settings.show_traceback)
        self._meters.requests.labels(response.status_code).inc()
        self._meters.seconds.observe(time.perf_counter() - started)
        return response

    async def _answered(self, request: Request) -> Response:
        kind = question.kind_of(request)
        if not self._pool.started.is_set():
            raise refusal.busy("The model is not loaded yet.")
        if self._pool.is_full:
            raise refusal.busy("All workers are busy, and no more requests may wait.")
        asked = await question.received(request, kind, self._settings.max_body)
        try:
            if self._wants_stream(request, asked):
                return await self._streamed(asked)
            return Response(await self._pool.answer(asked), media_type="application/json")
        finally:
            asked.body.close()

    def _wants_stream(self, request: Request, asked: Question) -> bool:
        """By `Accept: text/event-stream`, or by `"stream": true` in a chat request to a model that streams."""
        accepted = {
            each.partition(";")[0].strip().lower()
            for each in request.headers.get("accept", "").split(",")
        }
        if EVENTS in accepted and self._pool.streamable:
            return True
        if accepted == {EVENTS}:
            raise Refusal(
                406, f"This model does not stream; take application/json in place of {EVENTS}."
            )
        if not self._pool.streamable or asked.kind != "json" or asked.size > SMALL:
            return False
        content = asked.body.read()
        asked.body.seek(0)
        try:
            if b'"stream"' in content:
                value = json.loads(content)
            else:
                value = None
        except (ValueError, RecursionError):
            return False  # the worker says what is wrong with it
        return isinstance(value, dict) and value.get("stream") is True

    async def _streamed(self, asked: Question) -> Response:
        """Begin with the first piece, so that what fails before it has a status of its own."""
        pieces = self._pool.stream(asked)
        first = await anext(pieces, None)  # the worker has read the request when it answers
        events = self._events(first, pieces)
        return StreamingResponse(events, media_type=EVENTS, headers={"Cache-Control": "no-cache"})

    async def _events(self, first: bytes | None, pieces: Pieces) -> Pieces:
        """Yield server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
        try:
            if first is not None:
                yield b"data: " + first + b"\n\n"
            async for piece in pieces:
                yield b"data: " + piece + b"\n\n"
            yield b"data: [DONE]\n\n"
        except Refusal as error:
            told = json.dumps(error.body(show_traceback=self._settings.show_traceback))
            yield f"event: error\ndata: {told}\n\n".encode()
        finally:
            await pieces.aclose()


async def _refused_by_routing(request: Request, error: HTTPException) -> Response:
    message = f"{request.method} {request.url.path[:LONGEST_PATH]}: {error.detail}."
    return Refusal(error.status_code, message, headers=error.headers).response()
