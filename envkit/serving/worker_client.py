"""What is asked of one worker, and what it tells, without waiting for it."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from typing import IO, Any, cast

from envkit.child.runner import Journal
from envkit.child.worker import Worker
from envkit.inside import messages

Message = tuple[Mapping[str, Any], bytes]
MANY = 16  # messages that wait to be fetched; then no more are read


class Gone(Exception):
    """The worker has ended, or has been stopped."""


class Conversation(asyncio.Protocol):
    """One question at a time is asked of a worker by `ask`; what it tells comes by `told`."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._patience = 1.0
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._messages: deque[Message] = deque()
        self._news, self._writable = asyncio.Event(), asyncio.Event()
        self._writable.set()
        self.gone = asyncio.Event()
        self.ended: asyncio.Future[Journal] = asyncio.get_running_loop().create_future()
        self.streamable = False
        self.questions = self.answers = 0
        self.stopped_because = ""

    @classmethod
    async def begin(cls, worker: Worker) -> Conversation:
        """Begin to listen to a worker."""
        conversation = cls(worker)
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: conversation, sock=worker.channel)
        return conversation

    async def ask(self, header: Mapping[str, Any], body: IO[bytes], size: int) -> None:
        """Send a question. Raises `Gone`."""
        self.questions += 1
        self._write(messages.begun(header, size) + body.read(messages.SMALL))
        await self._writable.wait()
        while piece := body.read(messages.PIECE):
            self._write(piece)
            await self._writable.wait()

    async def told(self) -> Message:
        """Wait for what the worker tells. Raises `Gone`."""
        while not self._messages:
            if self.gone.is_set():
                raise Gone
            self._news.clear()
            await self._news.wait()
        if self._transport is not None and len(self._messages) == MANY:
            self._transport.resume_reading()
        return self._messages.popleft()

    def request_stop(self) -> None:
        """Tell the worker that no more pieces of a stream are wanted."""
        if not self.gone.is_set():
            self._write(messages.begun({"ask": "stop"}, 0))

    def stop(self, because: str, patience: float = 0.0) -> None:
        """Let the worker end; `end` waits for it. It is killed when it has not ended after `patience` seconds."""
        if not self.gone.is_set():
            self.stopped_because = because
        self._patience = patience
        if self._transport is not None:
            self._transport.abort()

    async def end(self) -> Journal:
        """Wait until the worker has ended, with all that it started, and give what it reported."""
        self.stop(self.stopped_because, self._patience)
        journal = await asyncio.shield(asyncio.to_thread(self._worker.end, self._patience))
        if not self.ended.done():
            self.ended.set_result(journal)
        return journal

    def _write(self, content: bytes) -> None:
        if self.gone.is_set() or self._transport is None:
            raise Gone
        self._transport.write(content)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)  # of a stream it is one

    def data_received(self, data: bytes) -> None:
        """Put messages together."""
        self._received += data
        while (message := self._message()) is not None:
            self._messages.append(message)
            self._news.set()
            if len(self._messages) == MANY and self._transport is not None:
                self._transport.pause_reading()

    def _message(self) -> Message | None:
        start = messages.LENGTHS.size
        if len(self._received) < start:
            return None
        header_size, body_size = messages.LENGTHS.unpack_from(self._received)
        middle, end = start + header_size, start + header_size + body_size
        if len(self._received) < end:
            return None
        header, body = json.loads(self._received[start:middle]), bytes(self._received[middle:end])
        del self._received[:end]
        return header, body

    def pause_writing(self) -> None:
        """Wait with what is still to be sent."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on sending."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the worker's end says why
        """Tell whoever waits."""
        self.gone.set()
        self._news.set()
        self._writable.set()
