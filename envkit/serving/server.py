"""The life of a server: it starts its workers, answers until it is stopped, and ends them."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from envkit.environments.workers import Workplace
from envkit.serving import listening
from envkit.serving.application import Application
from envkit.serving.gate import Gate
from envkit.serving.http_protocol import HttpProtocol
from envkit.serving.metrics import Metrics
from envkit.serving.options import ServerOptions
from envkit.serving.server_log import ServerLog
from envkit.serving.service_manager import READY, STOPPING, notify
from envkit.serving.worker_pool import WorkerPool

# Longer than load balancers keep idle connections, so that these close them and not the server.
KEEP_ALIVE_SECONDS = 75
BACKLOG = 1024
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a server listens.

    bound: the socket. certificate, key: files for TLS. metrics: the socket of the metrics, if
    they have one of their own.
    """

    bound: socket.socket
    certificate: Path | None = None
    key: Path | None = None
    metrics: socket.socket | None = None

    @property
    def url(self) -> str:
        """The URL of the server."""
        return listening.url_of(self.bound, has_tls=self.certificate is not None)

    def close(self) -> None:
        """Close the sockets."""
        self.bound.close()
        if self.metrics is not None:
            self.metrics.close()


class ModelServer:
    """A server of one model. As a context manager it serves in a thread until the block ends.

    Attributes:
        url: Its URL; `unix:PATH` on a UNIX socket.
        metrics_url: That of its metrics.
    """

    def __init__(
        self,
        address: Address,
        workplace: Workplace,
        options: ServerOptions,
        log: ServerLog,
        description: Mapping[str, Any],
    ) -> None:
        """`description` is the OpenAPI document."""
        self.url = address.url
        self.metrics_url = f"{self.url}/metrics"
        if address.metrics is not None:
            self.metrics_url = f"{listening.url_of(address.metrics)}/metrics"
        self._address = address
        self._workplace = workplace
        self._options = options
        self._log = log
        self._description = description
        self._loop: asyncio.AbstractEventLoop | None = None
        self._http_server: _HttpServer | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[], Any]] = []
        self._signals: list[int] = []

    def on_end(self, callback: Callable[[], Any]) -> None:
        """Call a function when all workers have ended."""
        self._callbacks.append(callback)

    def run(self) -> None:
        """Serve until a signal: requests at work finish, a second signal ends the server at once.

        Raises:
            KeyboardInterrupt: After SIGINT.
            PredictionFailed: The model cannot be loaded, or can no longer be.
        """
        try:
            with _signal_handlers_restored():
                asyncio.run(self._run())
        finally:
            self._address.close()
            for callback in self._callbacks:
                callback()
        if signal.SIGINT in self._signals:
            raise KeyboardInterrupt
        if len(self._signals) > 1:
            raise SystemExit(128 + self._signals[-1])

    def start(self) -> ModelServer:
        """Serve in a thread; returns when all workers have loaded the model.

        Raises what `run` raises.
        """
        self._thread = threading.Thread(
            target=self._run_in_thread, name="envkit-serving", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self

    def stop(self) -> None:
        """Stop a server that runs in a thread; requests at work finish.

        Raises what ended it before.
        """
        if self._thread is None:
            return
        if self._loop is not None and self._http_server is not None and self._thread.is_alive():
            self._http_server.should_exit = True
        self.wait()

    def wait(self) -> None:
        """Wait until the server has ended. Raises what ended it."""
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error

    def __enter__(self) -> ModelServer:
        if self._thread is not None:
            return self
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run_in_thread(self) -> None:
        try:
            self.run()
        except BaseException as error:  # noqa: BLE001 - raised again by `start`, `stop` and `wait`
            self._error = error
        finally:
            self._ready.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        metrics = Metrics()
        pool = WorkerPool(self._workplace, self._options, metrics, self._log.warn)
        has_own_port = self._address.metrics is not None
        application = Application(
            pool,
            self._options,
            metrics,
            has_metrics=not has_own_port,
            description=self._description,
        )
        gate = Gate(application.asgi(), self._options, self._log, self._count_connections)
        self._http_server = _HttpServer(self._uvicorn_config(gate, self._address))
        self._handle_signals(self._loop)
        listening.listen(self._address.bound, BACKLOG)
        metrics_server = self._start_metrics(application)
        pool.open()
        serving = asyncio.create_task(self._http_server.serve(sockets=[self._address.bound]))
        announcing = asyncio.create_task(self._announce_start(pool))
        ends: set[asyncio.Future[Any]] = {serving, pool.failed}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        announcing.cancel()
        self._http_server.should_exit = True
        await serving
        await metrics_server.stop()
        await pool.close(0.0 if self._http_server.force_exit else 1.0)
        if pool.failed.done() and not self._signals:
            raise pool.failed.result()

    def _start_metrics(self, application: Application) -> _MetricsServer:
        """Serve the metrics on their own port, if they have one."""
        bound = self._address.metrics
        if bound is None:
            return _MetricsServer()
        listening.listen(bound, BACKLOG)
        config = self._uvicorn_config(application.metrics_asgi(), Address(bound=bound))
        return _MetricsServer(_HttpServer(config), bound)

    def _count_connections(self) -> int:
        if self._http_server is None:
            return 0
        return len(self._http_server.server_state.connections)

    def _uvicorn_config(self, application: ASGIApp, address: Address) -> uvicorn.Config:
        return uvicorn.Config(
            application,
            # uvicorn calls it as it calls a class of its own.
            http=cast("Any", partial(HttpProtocol, warn=self._log.warn)),
            ssl_certfile=address.certificate,
            ssl_keyfile=address.key,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=int(self._options.timeout * 2) + 1,
            backlog=BACKLOG,
        )

    async def _announce_start(self, pool: WorkerPool) -> None:
        await pool.started.wait()
        self._ready.set()
        count = self._options.workers
        workers = "1 worker" if count == 1 else f"{count} workers"
        notify(READY)
        if self._address.metrics is not None:
            self._log.inform(f"Metrics on {self.metrics_url}.")
        self._log.inform(f"Serving on {self.url} with {workers}. Stop with Ctrl-C.")

    def _handle_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: int) -> None:
        """Stop gracefully; at once after a second signal."""
        self._signals.append(number)
        if self._http_server is None:
            return
        notify(STOPPING)
        self._http_server.force_exit = self._http_server.should_exit
        self._http_server.should_exit = True
        if not self._http_server.force_exit:
            # Last, because it raises when no one reads the output any more.
            self._log.inform("Stopping; requests at work finish first.")


class _MetricsServer:
    """A second HTTP server in the same loop, or none."""

    def __init__(
        self, server: _HttpServer | None = None, bound: socket.socket | None = None
    ) -> None:
        self._server = server
        self._task: asyncio.Task[None] | None = None
        if server is not None and bound is not None:
            self._task = asyncio.create_task(server.serve(sockets=[bound]))

    async def stop(self) -> None:
        """End at once; who reads metrics comes again."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        self._server.force_exit = True
        await self._task


class _HttpServer(uvicorn.Server):
    """Leaves signals to `ModelServer`."""

    def capture_signals(self) -> Any:
        """Handle no signals."""
        return nullcontext()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; cut the connections after a second signal."""
        await super().shutdown(sockets)
        if self.force_exit:
            for connection in tuple(self.server_state.connections):
                connection.transport.abort()
            for task in tuple(self.server_state.tasks):
                task.cancel()


@contextmanager
def _signal_handlers_restored() -> Iterator[None]:
    """Restore the signal handlers, which the event loop resets to the defaults."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
