"""The connection to one worker, without blocking: messages are sent to it and received from it."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from typing import IO, Any, cast

from envkit.child.journal import Journal
from envkit.child.worker import Worker
from envkit.inside import messages

Message = tuple[Mapping[str, Any], bytes]

# Reading pauses while this many messages wait to be received.
MAX_WAITING = 16


class WorkerGone(Exception):
    """The worker has ended or was stopped."""


class WorkerConnection(asyncio.Protocol):
    """A worker that handles one request at a time.

    Attributes:
        gone: Set when the worker has ended or was stopped.
        ended: What the worker reported, once its process has ended.
        streamable: Whether its model can stream answers.
        questions: The number of requests that were sent to it.
        answers: The number of requests that it answered.
        stop_reason: Why the server stopped it; empty while it runs and if it ended by itself.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._patience = 1.0
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._messages: deque[Message] = deque()
        self._message_arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self.gone = asyncio.Event()
        self.ended: asyncio.Future[Journal] = asyncio.get_running_loop().create_future()
        self.streamable = False
        self.questions = 0
        self.answers = 0
        self.stop_reason = ""

    @classmethod
    async def open(cls, worker: Worker) -> WorkerConnection:
        """Connect to a worker."""
        connection = cls(worker)
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: connection, sock=worker.channel)
        return connection

    async def send(self, header: Mapping[str, Any], body: IO[bytes], size: int) -> None:
        """Send a request. Raises `WorkerGone`."""
        self.questions += 1
        self._write(messages.begun(header, size) + body.read(messages.SMALL))
        await self._writable.wait()
        while piece := body.read(messages.PIECE):
            self._write(piece)
            await self._writable.wait()

    async def receive(self) -> Message:
        """Wait for the next message of the worker. Raises `WorkerGone`."""
        while not self._messages:
            if self.gone.is_set():
                raise WorkerGone
            self._message_arrived.clear()
            await self._message_arrived.wait()
        if self._transport is not None and len(self._messages) == MAX_WAITING:
            self._transport.resume_reading()
        return self._messages.popleft()

    def stop_stream(self) -> None:
        """Ask the worker to end the stream that it is sending."""
        if not self.gone.is_set():
            self._write(messages.begun({"ask": "stop"}, 0))

    def stop(self, reason: str, patience: float = 0.0) -> None:
        """Close the connection, which ends the worker.

        `wait_ended` kills it when it has not ended after `patience` seconds.
        """
        if not self.gone.is_set():
            self.stop_reason = reason
        self._patience = patience
        if self._transport is not None:
            self._transport.abort()

    async def wait_ended(self) -> Journal:
        """Wait until the worker and its children have ended; give what it reported."""
        self.stop(self.stop_reason, self._patience)
        journal = await asyncio.shield(asyncio.to_thread(self._worker.end, self._patience))
        if not self.ended.done():
            self.ended.set_result(journal)
        return journal

    def _write(self, content: bytes) -> None:
        if self.gone.is_set() or self._transport is None:
            raise WorkerGone
        self._transport.write(content)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # asyncio passes a stream protocol a `Transport`.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Split the stream into messages."""
        self._received += data
        while (message := self._next_message()) is not None:
            self._messages.append(message)
            self._message_arrived.set()
            if len(self._messages) == MAX_WAITING and self._transport is not None:
                self._transport.pause_reading()

    def _next_message(self) -> Message | None:
        """Remove the first complete message from what was received."""
        header_start = messages.LENGTHS.size
        if len(self._received) < header_start:
            return None
        header_size, body_size = messages.LENGTHS.unpack_from(self._received)
        body_start = header_start + header_size
        end = body_start + body_size
        if len(self._received) < end:
            return None
        header = json.loads(self._received[header_start:body_start])
        body = bytes(self._received[body_start:end])
        del self._received[:end]
        return header, body

    def pause_writing(self) -> None:
        """Make `send` wait: the worker reads more slowly than the server writes."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let `send` continue."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the worker's end says why
        """Wake everything that waits for the worker."""
        self.gone.set()
        self._message_arrived.set()
        self._writable.set()
