"""HTTP connections with time limits for slow clients.

A malformed request gets the same JSON as every other error, and one line of the log. uvicorn alone
waits without limit for a client's headers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from envkit.serving.gate import SECURITY_HEADERS, client_of
from envkit.serving.http_errors import HttpError

# For the headers of a request, and for the rest of a body that was rejected.
HEADER_SECONDS = 10.0

# For a client to read the next part of an answer.
READING_SECONDS = 60.0

# For uvicorn, whose lines say neither who nor when; `warn` and the gate log instead.
_SILENT = logging.getLogger("envkit.serving.uvicorn")
_SILENT.addHandler(logging.NullHandler())
_SILENT.setLevel(logging.CRITICAL)
_SILENT.propagate = False


class HttpProtocol(H11Protocol):
    """Closes a connection whose client is slow to send its headers or to read its answer."""

    _header_timer: asyncio.TimerHandle | None = None
    _reading_timer: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, warn: Callable[[str], None], **options: Any) -> None:
        """`warn` is called with a line of text for each request that is not HTTP."""
        super().__init__(*arguments, **options)
        self._warn = warn
        self._is_rejected = False
        self.logger = _SILENT

    def connection_made(self, transport: Any) -> None:
        """Start the time for the first request."""
        super().connection_made(transport)
        self._start_header_timer()

    def handle_events(self) -> None:
        """Handle what was received, unless the connection was rejected."""
        if not self._is_rejected:
            super().handle_events()

    def data_received(self, data: bytes) -> None:
        """Limit the time for headers; the application limits the time for the body."""
        if self._is_between_requests:
            self._start_header_timer()
        super().data_received(data)
        if not self._is_between_requests:
            self._stop_header_timer()

    def pause_writing(self) -> None:
        """Start the time for the client to read."""
        super().pause_writing()
        if self._reading_timer is None:
            self._reading_timer = self.loop.call_later(READING_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop the time for the client to read."""
        self._stop_reading_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        self._stop_header_timer()
        self._stop_reading_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Reject what is not HTTP, unless a response has already begun."""
        self._is_rejected = True
        self._warn(f"Rejected what {client_of(self.client)} sent: it is not valid HTTP.")
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete:
            # Its body is malformed: the application must neither wait for more nor answer.
            cycle.disconnected = True
            cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            content = bytes(HttpError(400, msg).response().body)
            headers = {
                "Content-Type": "application/json",
                "Content-Length": str(len(content)),
                "Connection": "close",
                **SECURITY_HEADERS,
            }
            for event in (
                h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request"),
                h11.Data(data=content),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Ignore a request for another protocol (RFC 9110, 7.8); uvicorn would log advice."""

    @property
    def _is_between_requests(self) -> bool:
        cycle: Any = self.cycle  # None before the first request
        return cycle is None or bool(cycle.response_complete)

    def _start_header_timer(self) -> None:
        if self._header_timer is None:
            self._header_timer = self.loop.call_later(HEADER_SECONDS, self._close_idle)

    def _close_idle(self) -> None:
        self._header_timer = None
        if self._is_between_requests:
            self.transport.close()

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_reading_timer(self) -> None:
        if self._reading_timer is not None:
            self._reading_timer.cancel()
            self._reading_timer = None
