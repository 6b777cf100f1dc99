"""The endpoints of MLflow's scoring server, and `/metrics`."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Mapping
from importlib.metadata import version
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from envkit.serving import documentation, http_errors, prediction_request
from envkit.serving.http_errors import HttpError
from envkit.serving.metrics import CONTENT_TYPE, Metrics
from envkit.serving.options import ServerOptions
from envkit.serving.prediction_request import PredictionRequest
from envkit.serving.worker_pool import WorkerPool

JSON = "application/json"
EVENT_STREAM = "text/event-stream"
Pieces = AsyncGenerator[bytes, None]

# An unknown path is repeated in the answer up to this length.
MAX_PATH = 200

# Larger requests are not searched for `"stream": true`.
MAX_CHAT_BYTES = 1_000_000


class Application:
    """Answers HTTP requests with the workers of a pool."""

    def __init__(
        self,
        pool: WorkerPool,
        options: ServerOptions,
        metrics: Metrics,
        *,
        has_metrics: bool = True,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        """Answer for a model.

        `has_metrics`: whether they are at the same address as predictions. `description`: the
        OpenAPI document.
        """
        self._pool = pool
        self._options = options
        self._metrics = metrics
        self._has_metrics = has_metrics
        self._description = json.dumps(description or {})
        self._bodies = prediction_request.BodyStore(options.max_body)

    def asgi(self) -> Starlette:
        """Give the application that uvicorn runs."""
        routes = [
            Route("/invocations", self._invocations, methods=["POST"]),
            Route("/ping", self._ping),
            Route("/health", self._ping),
            Route("/readyz", self._ping),
            Route("/livez", self._live),
            Route("/version", self._version),
        ]
        if self._description != "{}":
            routes.append(Route("/openapi.json", self._openapi))
        if self._options.docs:
            routes.append(Route("/docs", self._docs))
        if self._has_metrics:
            routes.append(Route("/metrics", self._text_metrics))
        handlers = {HTTPException: _routing_error}
        application = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
        # A redirect would lead to whatever host the client named.
        application.router.redirect_slashes = False
        return application

    def metrics_asgi(self) -> Starlette:
        """Give the application of the port that has metrics only."""
        handlers = {HTTPException: _routing_error}
        routes = [Route("/metrics", self._text_metrics)]
        application = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
        application.router.redirect_slashes = False
        return application

    async def _ping(self, _: Request) -> Response:
        if not self._pool.is_ready:
            return http_errors.unavailable("The model is not loaded.").response()
        return Response("\n", media_type=JSON)  # the body of MLflow's server

    async def _live(self, _: Request) -> Response:
        """Answer as long as the server runs: the pool restarts workers, not an orchestrator."""
        return Response("\n", media_type=JSON)

    async def _version(self, _: Request) -> Response:
        return Response(version("envkit"), media_type=JSON)

    async def _openapi(self, _: Request) -> Response:
        return Response(self._description, media_type=JSON)

    async def _docs(self, _: Request) -> Response:
        return Response(documentation.PAGE, media_type="text/html", headers=documentation.HEADERS)

    async def _text_metrics(self, _: Request) -> Response:
        return Response(self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def _invocations(self, request: Request) -> Response:
        started = time.perf_counter()
        with self._metrics.in_flight.track_inprogress():
            try:
                response = await self._prediction(request)
            except HttpError as error:
                response = error.response(show_traceback=self._options.show_traceback)
        self._metrics.requests.labels(response.status_code).inc()
        self._metrics.seconds.observe(time.perf_counter() - started)
        return response

    async def _prediction(self, request: Request) -> Response:
        kind = prediction_request.content_kind(request)
        if not self._pool.started.is_set():
            raise http_errors.unavailable("The model is not loaded yet.")
        with self._pool.place():
            received = await self._bodies.receive(request, kind)
        try:
            if self._wants_stream(request, received):
                return await self._streamed(received)
            return Response(await self._pool.answer(received), media_type=JSON)
        finally:
            self._bodies.release(received)

    def _wants_stream(self, request: Request, received: PredictionRequest) -> bool:
        """Whether a client requests a stream, by its Accept header or in a chat request."""
        accepted = _media_types(request.headers.get("accept", ""))
        if EVENT_STREAM in accepted and self._pool.streamable:
            return True
        if accepted == {EVENT_STREAM}:
            message = f"This model does not stream: accept {JSON} instead of {EVENT_STREAM}."
            raise HttpError(406, message)
        if not self._pool.streamable or received.kind != "json":
            return False
        return _asks_for_stream(received)

    async def _streamed(self, received: PredictionRequest) -> Response:
        """Respond after the first piece, so that a failure before it has a status of its own."""
        pieces = self._pool.stream(received)
        # The worker has read the whole request when it sends the first piece.
        first = await anext(pieces, None)
        events = self._events(first, pieces)
        return StreamingResponse(
            events, media_type=EVENT_STREAM, headers={"Cache-Control": "no-cache"}
        )

    async def _events(self, first: bytes | None, pieces: Pieces) -> Pieces:
        """Yield server-sent events.

        https://html.spec.whatwg.org/multipage/server-sent-events.html
        """
        try:
            if first is not None:
                yield _event(first)
            async for piece in pieces:
                yield _event(piece)
            yield _event(b"[DONE]")
        except HttpError as error:
            content = error.body(show_traceback=self._options.show_traceback)
            yield b"event: error\n" + _event(json.dumps(content).encode())
        finally:
            await pieces.aclose()


def _media_types(accept: str) -> set[str]:
    """Give the media types of an Accept header, without their parameters."""
    return {entry.partition(";")[0].strip().lower() for entry in accept.split(",")}


def _asks_for_stream(received: PredictionRequest) -> bool:
    """Whether the JSON object of a request has `"stream": true`."""
    if received.size > MAX_CHAT_BYTES:
        return False
    content = received.body.read()
    received.body.seek(0)
    if b'"stream"' not in content:  # parsing is slower than searching
        return False
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return False  # the worker's answer says what is wrong with it
    return isinstance(value, dict) and value.get("stream") is True


def _event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


async def _routing_error(request: Request, error: HTTPException) -> Response:
    message = f"{request.method} {request.url.path[:MAX_PATH]}: {error.detail}."
    return HttpError(error.status_code, message, headers=error.headers).response()
