"""The workers of a server: each is restarted when it ends, and answers one request at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager

from envkit.child.journal import Journal
from envkit.environments.workers import Workplace
from envkit.errors import EnvkitError, PredictionFailed, gerund
from envkit.serving import http_errors
from envkit.serving.http_errors import HttpError
from envkit.serving.metrics import Metrics
from envkit.serving.options import ServerOptions
from envkit.serving.prediction_request import PredictionRequest
from envkit.serving.worker_connection import Message, WorkerConnection, WorkerGone
from envkit.serving.worker_queue import WorkerQueue

# A worker that ends this often in a row without having answered a request is not restarted.
MAX_FAILURES = 5

# The longest pause before a worker that failed again is restarted.
MAX_PAUSE_SECONDS = 10.0

# Time for a worker to end a stream without a reader, and to exit when the server stops.
STOPPING_SECONDS = 1.0


class WorkerPool:
    """Keeps the number of workers constant.

    Attributes:
        started: Set when all workers have loaded the model.
        failed: The error, when no worker can load the model, or none is restarted any more.
    """

    def __init__(
        self,
        workplace: Workplace,
        options: ServerOptions,
        metrics: Metrics,
        log: Callable[[str], None],
    ) -> None:
        """`log` is called with a line of text when something happens to a worker."""
        self._workplace = workplace
        self._options = options
        self._metrics = metrics
        self._log = log
        self._queue = WorkerQueue(options, metrics)
        self._alive: set[WorkerConnection] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._ending_streams: set[asyncio.Task[None]] = set()
        self._closing = False
        self._loaded = 0
        self._abandoned = 0
        self.started = asyncio.Event()
        self.failed: asyncio.Future[EnvkitError] = asyncio.get_running_loop().create_future()

    @property
    def is_ready(self) -> bool:
        """Whether all workers have loaded once, and one can answer."""
        return self.started.is_set() and bool(self._alive) and not self._closing

    def place(self) -> AbstractContextManager[None]:
        """Keep a place for a request while its body arrives. Raises `HttpError`."""
        return self._queue.place()

    @property
    def streamable(self) -> bool:
        """Whether the model can stream answers."""
        return any(worker.streamable for worker in self._alive)

    def open(self) -> None:
        """Start the workers."""
        for _ in range(self._options.workers):
            keeper = asyncio.create_task(self._keep())
            keeper.add_done_callback(self._check_keeper)
            self._keepers.append(keeper)

    async def close(self, patience: float = STOPPING_SECONDS) -> None:
        """End all workers; kill those that have not ended after `patience` seconds."""
        self._closing = True
        for worker in tuple(self._alive):
            worker.stop("closing", patience)
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, *self._ending_streams, return_exceptions=True)

    async def answer(self, request: PredictionRequest) -> bytes:
        """Give the model's answer as JSON. Raises `HttpError`."""
        worker = await self._queue.borrow(request)
        try:
            async with asyncio.timeout(self._options.timeout):
                await self._ask(worker, "predict", request)
                message = await worker.receive()
        except BaseException as error:  # noqa: BLE001 - raised again, or as an HttpError
            raise await self._stop_failed(worker, error) from None
        self._finished(worker)
        return self._content(message)

    async def stream(self, request: PredictionRequest) -> AsyncGenerator[bytes, None]:
        """Yield the pieces of the model's answer, each as JSON.

        Raises `HttpError`, also between pieces.
        """
        worker = await self._queue.borrow(request)
        try:
            async with asyncio.timeout(self._options.timeout):
                await self._ask(worker, "stream", request)
            while True:
                async with asyncio.timeout(self._options.timeout):
                    message = await worker.receive()
                header, piece = message
                if header["event"] != "piece":
                    break
                yield piece
        except (GeneratorExit, asyncio.CancelledError):  # the client closed the connection
            self._end_stream_later(worker)
            raise
        except BaseException as error:  # noqa: BLE001 - raised again, or as an HttpError
            raise await self._stop_failed(worker, error) from None
        self._finished(worker)
        if header["event"] == "error":
            self._content(message)

    async def _ask(self, worker: WorkerConnection, job: str, request: PredictionRequest) -> None:
        header = {"ask": job, "content_type": request.kind}
        await worker.send(header, request.body, request.size)

    def _finished(self, worker: WorkerConnection) -> None:
        worker.answers += 1
        self._queue.give_back(worker)

    def _content(self, message: Message) -> bytes:
        """Give the content of an answer. Raises `HttpError` for an error message."""
        header, body = message
        if header["event"] == "answer":
            return body
        if header["kind"] != "input":
            traceback = header["traceback"].rstrip()
            self._log(f"The model failed while {gerund(header['phase'])}:\n{traceback}")
        raise http_errors.of_worker(header, show_traceback=self._options.show_traceback)

    async def _stop_failed(self, worker: WorkerConnection, error: BaseException) -> BaseException:
        """Stop a worker that did not answer; give the exception to raise."""
        if isinstance(error, TimeoutError):
            worker.stop("timeout")
            problem = f"The model was still predicting after {self._options.timeout:g} s"
            self._log(f"{problem}; its worker is restarted.")
            return HttpError(504, f"{problem} and was stopped.")
        if isinstance(error, WorkerGone):
            if worker.stop_reason == "closing":
                return http_errors.unavailable("The server is stopping.")
            journal = await asyncio.shield(worker.ended)
            return HttpError(502, f"The model's process {journal.failure} while predicting.")
        worker.stop("cancelled")
        return error

    def _end_stream_later(self, worker: WorkerConnection) -> None:
        """End a stream without a reader in a task: the generator that noticed is closing."""
        task = asyncio.create_task(self._end_stream(worker))
        self._ending_streams.add(task)
        task.add_done_callback(self._ending_streams.discard)

    async def _end_stream(self, worker: WorkerConnection) -> None:
        try:
            worker.stop_stream()
            async with asyncio.timeout(STOPPING_SECONDS):
                while (await worker.receive())[0]["event"] == "piece":
                    pass
        except (TimeoutError, WorkerGone):
            worker.stop("abandoned")
        else:
            self._queue.give_back(worker)

    async def _keep(self) -> None:
        """Keep one worker running until it fails too often or the server stops."""
        failures = 0
        end = PredictionFailed("run", f"its process ended {MAX_FAILURES} times in a row")
        while failures < MAX_FAILURES:
            try:
                worker = await self._load()
            except OSError as error:
                # As when no temporary folder is writable, which can pass.
                failures += 1
                reason = "start"
                problem = f"A worker cannot be started: {error}."
                end = PredictionFailed("start", str(error))
            except EnvkitError as error:
                if not self.started.is_set():
                    self._fail(error)
                    return
                failures += 1
                reason = "load"
                problem = str(error)
            else:
                journal = await self._serve_until_gone(worker)
                if self._closing:
                    return
                failures = _failures_after(worker, failures)
                reason = worker.stop_reason or "died"
                problem = ""
                if not worker.stop_reason:
                    problem = f"A worker's process {journal.failure}."
            if problem and failures < MAX_FAILURES:
                problem += " It is restarted."
            if problem:
                self._log(problem)
            self._metrics.restarts.labels(reason).inc()
            if failures > 1:
                await asyncio.sleep(min(0.1 * 2**failures, MAX_PAUSE_SECONDS))
        self._abandon(end)

    async def _load(self) -> WorkerConnection:
        """Start a worker and wait until it has loaded the model. Raises `EnvkitError`."""
        preparation = await asyncio.to_thread(self._workplace.prepare)
        # Not in another thread: the kernel ends the worker with the thread that starts it.
        process = self._workplace.start(preparation)
        worker = await WorkerConnection.open(process)
        try:
            header, _ = await worker.receive()
        except WorkerGone:
            raise self._workplace.failure(await worker.wait_ended()) from None
        except BaseException:
            worker.stop("closing")
            await worker.wait_ended()
            raise
        worker.streamable = bool(header["streamable"])
        if header.get("uncompiled"):
            await asyncio.to_thread(self._workplace.keep_bytecode, header["uncompiled"])
        return worker

    async def _serve_until_gone(self, worker: WorkerConnection) -> Journal:
        """Let a worker answer requests until it has ended."""
        self._alive.add(worker)
        self._loaded += 1
        if self._loaded == self._options.workers:
            self.started.set()
        self._queue.give_back(worker)
        self._metrics.workers.set(len(self._alive))
        try:
            await worker.gone.wait()
        finally:
            self._alive.discard(worker)
            self._queue.remove(worker)
            self._metrics.workers.set(len(self._alive))
            journal = await worker.wait_ended()
        return journal

    def _check_keeper(self, keeper: asyncio.Task[None]) -> None:
        """Report a keeper that failed: a server without it would wait for a worker for ever."""
        if keeper.cancelled() or self._closing:
            return
        error = keeper.exception()
        if error is None:
            return
        self._abandon(PredictionFailed("run", f"{type(error).__name__}: {error}"))

    def _abandon(self, error: PredictionFailed) -> None:
        """Do without one worker; the server fails with the last."""
        self._abandoned += 1
        self._log(f"A worker is not restarted any more: {error.problem}.")
        if self._abandoned == self._options.workers:
            self._fail(error)

    def _fail(self, error: EnvkitError) -> None:
        if not self.failed.done():
            self.failed.set_result(error)


def _failures_after(worker: WorkerConnection, failures: int) -> int:
    """Give the number of failures in a row, after a worker that had loaded has ended."""
    if worker.answers or worker.stop_reason:
        return 0
    if worker.questions:
        # Requests ended it, of which the next may be a better one: restart it in any case.
        return min(failures + 1, MAX_FAILURES - 1)
    return failures + 1
