"""What every request passes: identifiers, limits, access rules and the log of requests."""

from __future__ import annotations

import hmac
import re
import time
import traceback
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from envkit.serving import http_errors
from envkit.serving.http_errors import HttpError
from envkit.serving.options import ServerOptions
from envkit.serving.server_log import MAX_TEXT, ServerLog

# Orchestrators ask these without a key, and also when the server has too much to do.
PROBES = frozenset({"/ping", "/health", "/livez", "/readyz"})

REQUEST_ID = "X-Request-ID"
_VALID_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

SECURITY_HEADERS = {"X-Content-Type-Options": "nosniff"}


class Gate:
    """An ASGI application in front of another one."""

    def __init__(
        self,
        application: ASGIApp,
        options: ServerOptions,
        log: ServerLog,
        connections: Callable[[], int],
    ) -> None:
        """`connections` gives the number of open connections."""
        self._application = application
        self._options = options
        self._log = log
        self._connections = connections
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application answer it."""
        headers = Headers(scope=scope)
        exchange = _Exchange(headers, send)
        self._in_flight += 1
        try:
            await self._pass(scope, headers, receive, exchange)
        except Exception as error:  # noqa: BLE001 - a fault of this server, which goes on
            await self._answer_fault(scope, receive, exchange, error)
        finally:
            self._in_flight -= 1
            self._log.request(
                {
                    "client": client_of(scope.get("client")),
                    "method": scope["method"][:MAX_TEXT],
                    "path": scope["path"][:MAX_TEXT],
                    "status": exchange.status,
                    "seconds": round(time.perf_counter() - exchange.started, 4),
                    "request_id": exchange.request_id,
                }
            )

    async def _pass(
        self, scope: Scope, headers: Headers, receive: Receive, exchange: _Exchange
    ) -> None:
        try:
            self._check(scope["path"], headers)
        except HttpError as error:
            await error.response()(scope, receive, exchange.send)
        else:
            await self._application(scope, receive, exchange.send)

    def _check(self, path: str, headers: Headers) -> None:
        """Raise `HttpError` for what the options do not allow."""
        if not is_allowed_host(headers.get("host", ""), self._options.allowed_hosts):
            raise HttpError(400, "The Host header names a host that this server does not serve.")
        if path in PROBES:
            return
        if not _has_key(headers, self._options.api_key):
            raise HttpError(
                401,
                "An API key is required: `Authorization: Bearer KEY` or `X-API-Key: KEY`.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        limit = self._options.limit_concurrency
        if limit is not None and max(self._in_flight, self._connections()) > limit:
            error = http_errors.unavailable("Too many clients are connected.")
            error.headers["Connection"] = "close"
            raise error

    async def _answer_fault(
        self, scope: Scope, receive: Receive, exchange: _Exchange, error: Exception
    ) -> None:
        trace = "".join(traceback.format_exception(error)).rstrip()
        self._log.warn(f"envkit failed to answer request {exchange.request_id}:\n{trace}")
        if exchange.status is None:
            response = HttpError(500, "The server failed; its log says why.").response()
            await response(scope, receive, exchange.send)


class _Exchange:
    """One request and its response.

    status: that of the response, None before it begins.
    """

    def __init__(self, headers: Headers, send: Send) -> None:
        self.started = time.perf_counter()
        self.status: int | None = None
        given = headers.get(REQUEST_ID, "")
        self.request_id = given if _VALID_ID.fullmatch(given) else uuid4().hex
        # RFC 9112, 6.1: a proxy may have seen another end of this request.
        self._is_ambiguous = "content-length" in headers and "transfer-encoding" in headers
        self._send = send

    async def send(self, message: Message) -> None:
        """Send a part of the response, with the headers that all responses have."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self.request_id
            for name, value in SECURITY_HEADERS.items():
                headers[name] = value
            if self._is_ambiguous:
                headers["Connection"] = "close"
        await self._send(message)


def client_of(address: Any) -> str:
    """Give the address of a client; `-` for one of a UNIX socket."""
    if not address or not address[0]:
        return "-"
    host, port = address[:2]
    if ":" in host:
        host = f"[{host}]"
    return f"{host}:{port}"


def is_allowed_host(header: str, allowed: tuple[str, ...]) -> bool:
    """Whether a Host header names one of the allowed hosts; without any, all are allowed."""
    if not allowed:
        return True
    host = _without_port(header.strip()).lower().rstrip(".")
    for pattern in allowed:
        pattern = _without_port(pattern.lower())
        if pattern in ("*", host):
            return True
        if pattern.startswith("*.") and host.endswith(pattern[1:]) and len(host) >= len(pattern):
            return True
    return False


def _without_port(host: str) -> str:
    if host.startswith("["):  # IPv6
        return host.partition("]")[0] + "]"
    if host.count(":") == 1:
        return host.partition(":")[0]
    return host


def _has_key(headers: Headers, key: str | None) -> bool:
    """Whether a request has the key; the comparison takes the same time for every other one."""
    if key is None:
        return True
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
    return hmac.compare_digest(given.encode(), key.encode())
