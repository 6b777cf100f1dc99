"""The life of a server: its socket, its workers, its end."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import TracebackType
from typing import Any

import uvicorn

from envkit.environments.workers import Workplace
from envkit.errors import InvalidArgument
from envkit.serving.application import Application
from envkit.serving.connection import ImpatientProtocol
from envkit.serving.metrics import Meters
from envkit.serving.options import Settings
from envkit.serving.pool import Pool

KEEP_ALIVE_SECONDS = 75  # longer than load balancers keep theirs, so that it is they who close
BACKLOG = 1024

Tell = Callable[[str], None]


def bound(host: str, port: int) -> socket.socket:
    """Take an address; port 0 takes a free one. Raises `InvalidArgument`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        taken = socket.socket(family, kind, protocol)
        try:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(address)
        except OSError:
            taken.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        raise _not_taken(host, port, error) from None
    return taken


def _not_taken(host: str, port: int, error: Exception) -> InvalidArgument:
    problem = getattr(error, "strerror", None) or str(error)
    return InvalidArgument(
        f"Port {port} of {host} cannot be taken: {problem}. Name another: `--port`, `--host`."
    )


def url_of(taken: socket.socket) -> str:
    """Give the URL that leads to a socket."""
    host, port = taken.getsockname()[:2]
    if ":" in host:
        return f"http://[{host}]:{port}"
    return f"http://{host}:{port}"


class Serving:
    """A server, before, while and after it answers. As a context manager it serves in a thread until the block ends.

    url: where it answers.
    """

    def __init__(
        self, taken: socket.socket, workplace: Workplace, settings: Settings, tell: Tell, note: Tell
    ) -> None:
        """`tell` is given what goes wrong, `note` what may be of interest: lines of text."""
        self.url = url_of(taken)
        self._socket, self._workplace, self._settings = taken, workplace, settings
        self._tell, self._note = tell, note
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._on_end: list[Callable[[], Any]] = []
        self._signals: list[int] = []

    def on_end(self, do: Callable[[], Any]) -> None:
        """Have something done when all workers have ended."""
        self._on_end.append(do)

    def run(self) -> None:
        """Serve until a signal ends it: SIGTERM and SIGHUP gracefully, and SIGINT, which raises `KeyboardInterrupt`.

        A second signal ends it at once. Raises `PredictionFailed` when the model cannot be loaded,
        or not any more.
        """
        try:
            with _signals_kept():
                asyncio.run(self._run())
        finally:
            self._socket.close()
            for do in self._on_end:
                do()
        if signal.SIGINT in self._signals:
            raise KeyboardInterrupt
        if len(self._signals) > 1:
            raise SystemExit(128 + self._signals[-1])

    def start(self) -> Serving:
        """Serve in a thread; returns when all workers have loaded the model. Raises what `run` raises."""
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
        """End a server that runs in a thread; requests at work finish. Raises what ended it before."""
        if self._thread is None:
            return
        if self._loop is not None and self._server is not None and self._thread.is_alive():
            self._server.should_exit = True
        self.wait()

    def wait(self) -> None:
        """Wait until it has ended. Raises what ended it."""
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Serving:
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
        except BaseException as error:  # noqa: BLE001 - it is raised where the server is waited for
            self._error = error
        finally:
            self._ready.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        meters = Meters()
        pool = Pool(self._workplace, self._settings, meters, self._tell)
        config = uvicorn.Config(
            Application(pool, self._settings, meters).asgi(),
            http=ImpatientProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=int(self._settings.timeout * 2) + 1,
            backlog=BACKLOG,
        )
        self._server = _Server(config)
        self._listen_to_signals(self._loop)
        try:
            self._socket.listen(BACKLOG)
        except OSError as error:
            host, port = self._socket.getsockname()[:2]
            raise _not_taken(host, port, error) from None
        pool.open()
        answering = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        starting = asyncio.create_task(self._tell_of_start(pool))
        either: set[asyncio.Future[Any]] = {answering, pool.failed}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        starting.cancel()
        self._server.should_exit = True
        await answering
        await pool.close(0.0 if self._server.force_exit else 1.0)
        if pool.failed.done() and not self._signals:
            raise pool.failed.result()

    async def _tell_of_start(self, pool: Pool) -> None:
        await pool.started.wait()
        if self._settings.workers == 1:
            workers = "1 worker"
        else:
            workers = f"{self._settings.workers} workers"
        self._ready.set()
        self._note(f"Serving on {self.url} with {workers}; Ctrl-C ends it.")

    def _listen_to_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._end, number)

    def _end(self, number: int) -> None:
        """End gracefully; at once when it is told again."""
        self._signals.append(number)
        if self._server is None:
            return
        self._server.force_exit = self._server.should_exit
        self._server.should_exit = True
        if not self._server.force_exit:
            self._note("Ending; requests at work finish first.")  # last: who reads it may be gone


class _Server(uvicorn.Server):
    """Leaves signals to `Serving`."""

    def capture_signals(self) -> Any:
        """Capture none."""
        return nullcontext()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; when it is to be at once, connections are cut."""
        await super().shutdown(sockets)
        if self.force_exit:
            for each in tuple(self.server_state.connections):
                each.transport.abort()
            for task in tuple(self.server_state.tasks):
                task.cancel()


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Put the handlers of signals back, which the event loop forgets."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
