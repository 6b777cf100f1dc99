"""HTTP connections that do not wait for ever, and refuse what is no HTTP as everything else is refused.

uvicorn by itself gives a client all the time for its headers.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from envkit.serving.refusal import Refusal

HEADER_SECONDS = 10.0  # for the headers of a request, and for the rest of a body that was refused
READING_SECONDS = 60.0  # for a client to take the next part of an answer


class ImpatientProtocol(H11Protocol):
    """Closes a connection whose client is slow with its headers, or does not read its answer."""

    _headers_due: asyncio.TimerHandle | None = None
    _reading_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Give the client time for its first request."""
        super().connection_made(transport)
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        """Take what came; once all headers are there a request runs, and the application sees to its body."""
        if self._is_between_requests:
            self._expect_headers()
        super().data_received(data)
        if not self._is_between_requests:
            self._headers_came()

    def pause_writing(self) -> None:
        """Give the client time to read."""
        super().pause_writing()
        if self._reading_due is None:
            self._reading_due = self.loop.call_later(READING_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on."""
        self._has_read()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._headers_came()
        self._has_read()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; where an answer is on its way already only end the connection."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            content = bytes(Refusal(400, msg).response().body)
            headers = {
                "Content-Type": "application/json",
                "Content-Length": str(len(content)),
                "Connection": "close",
            }
            for event in (
                h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request"),
                h11.Data(data=content),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Answer as if no other protocol had been asked for (RFC 9110, 7.8), and do not advise to install one."""

    @property
    def _is_between_requests(self) -> bool:
        cycle: Any = self.cycle  # None before the first request
        return cycle is None or bool(cycle.response_complete)

    def _expect_headers(self) -> None:
        if self._headers_due is None:
            self._headers_due = self.loop.call_later(HEADER_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        self._headers_due = None
        if self._is_between_requests:
            self.transport.close()

    def _headers_came(self) -> None:
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None

    def _has_read(self) -> None:
        if self._reading_due is not None:
            self._reading_due.cancel()
            self._reading_due = None
