"""Idle workers, and requests that wait for one, first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from envkit.serving import http_errors
from envkit.serving.metrics import Metrics
from envkit.serving.options import ServerOptions
from envkit.serving.prediction_request import PredictionRequest
from envkit.serving.worker_connection import WorkerConnection


class WorkerQueue:
    """Lends each idle worker to one request at a time."""

    def __init__(self, options: ServerOptions, metrics: Metrics) -> None:
        self._options = options
        self._metrics = metrics
        self._idle: deque[WorkerConnection] = deque()
        self._waiting: deque[asyncio.Future[WorkerConnection]] = deque()
        self._arriving = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Keep a place for a request while its body arrives.

        Raises `HttpError` when there is none, so that the body need not be received.
        """
        if self.is_full:
            raise queue_full()
        self._arriving += 1
        try:
            yield
        finally:
            self._arriving -= 1

    @property
    def is_full(self) -> bool:
        """Whether no further request may wait."""
        taken = self._arriving + len(self._waiting)
        return taken >= self._options.queue + len(self._idle)

    async def borrow(self, request: PredictionRequest) -> WorkerConnection:
        """Wait for a worker.

        Raises `HttpError` when none is free in time or the client has gone.
        """
        if self._idle:
            return self._idle.pop()
        if self.is_full:
            raise queue_full()
        place: asyncio.Future[WorkerConnection] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(self._options.timeout):
                worker = await place
            await request.check_connection()
        except TimeoutError:
            self._return_unused(place)
            message = f"No worker was free within {self._options.timeout:g} s."
            raise http_errors.unavailable(message) from None
        except BaseException:
            self._return_unused(place)
            raise
        else:
            return worker
        finally:
            with suppress(ValueError):
                self._waiting.remove(place)
            self._count()

    def give_back(self, worker: WorkerConnection) -> None:
        """Lend a worker to the request that waits longest, or keep it idle."""
        if worker.gone.is_set():
            return
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(worker)
                self._count()
                return
        self._idle.append(worker)

    def remove(self, worker: WorkerConnection) -> None:
        """Forget a worker that has ended."""
        with suppress(ValueError):
            self._idle.remove(worker)

    def _return_unused(self, place: asyncio.Future[WorkerConnection]) -> None:
        """Give back a worker that arrived after its request was over."""
        if place.done() and not place.cancelled():
            self.give_back(place.result())

    def _count(self) -> None:
        self._metrics.waiting.set(len(self._waiting))


def queue_full() -> http_errors.HttpError:
    """Give the error for a request that may not wait."""
    return http_errors.unavailable("All workers are busy and the queue is full.")
