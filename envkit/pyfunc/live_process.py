"""The process of a live model, and the conversation with it.

The process is a worker (`envkit/inside/worker.py` documents the protocol): it is started once and
asked over a socket. Its answers are values with their types (`envkit/inside/data/wire.py`), never
pickles.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NoReturn

from envkit.child.journal import Journal
from envkit.child.worker import Worker
from envkit.environments.workers import Workplace
from envkit.errors import InputMismatch, InvalidArgument, PredictionFailed
from envkit.inside import messages
from envkit.inside.data.requests.scoring_request import TYPED

Message = tuple[Mapping[str, Any], bytes]
"""A header with the key `event`, and a body."""

# Seconds that a worker gets to report how it ended, or to end by itself.
_REPORT_PATIENCE = 1.0
_END_PATIENCE = 0.5


class LiveProcess:
    """The worker of one live model, and what must be kept while it runs.

    held: closed when the process ends for good. timeout: seconds for one answer.
    """

    def __init__(self, workplace: Workplace, held: ExitStack, timeout: float | None) -> None:
        self._workplace = workplace
        self._held = held
        self._timeout = timeout
        # One question at a time.
        self._lock = threading.RLock()
        # A worker ends with the thread that starts it, so that thread must live on.
        self._starter = ThreadPoolExecutor(max_workers=1)
        self._worker: Worker | None = None
        self._owner = os.getpid()
        self.streamable = False
        self.closed = False

    def start(self) -> None:
        """Start a worker and wait until it has loaded its model."""
        preparation = self._workplace.prepare()
        worker = self._starter.submit(self._workplace.start, preparation).result()
        self._worker = worker
        try:
            message = messages.read(worker.channel)
        except (OSError, ValueError):
            message = None
        except BaseException:
            self._abandon()
            raise
        if message is None or message[0].get("event") != "ready":
            self._worker = None
            raise self._workplace.failure(worker.end(_REPORT_PATIENCE))
        self.streamable = bool(message[0].get("streamable"))

    def ask(self, action: str, question: bytes) -> bytes:
        """Ask one question and return the body of the answer."""
        self._check_owner()
        with self._lock:
            self._send(action, question)
            header, body = self._receive()
            if header["event"] != "answer":
                self._raise(header)
            return body

    def stream(self, question: bytes) -> Generator[bytes]:
        """Ask for a stream and yield the bodies of its pieces."""
        self._check_owner()
        with self._lock:
            self._send("stream", question)
            is_complete = False
            try:
                header, body = self._receive()
                while header["event"] == "piece":
                    yield body
                    header, body = self._receive()
                is_complete = True
                if header["event"] != "end":
                    self._raise(header)
            finally:
                if not is_complete:
                    self._stop_stream()

    def end(self) -> None:
        """End the worker for good; in a forked process do nothing to it."""
        self.closed = True
        if os.getpid() != self._owner:
            return
        try:
            self._abandon(_END_PATIENCE)
        finally:
            self._starter.shutdown(wait=False)
            self._held.close()

    def _stop_stream(self) -> None:
        """Ask the worker to stop, and read what it has already sent."""
        if self._worker is None:
            return
        messages.write(self._worker.channel, {"ask": "stop"})
        header, _ = self._receive()
        while header["event"] == "piece":
            header, _ = self._receive()

    def _check_owner(self) -> None:
        # A forked process would take answers that are not its own.
        if os.getpid() != self._owner:
            raise InvalidArgument(
                "The model belongs to the process that loaded it; load it in this process too."
            )

    def _send(self, action: str, question: bytes) -> None:
        if self.closed:
            raise InvalidArgument("The model is closed; load it again.")
        if self._worker is None:
            self.start()
        channel = self._running_worker().channel
        channel.settimeout(self._timeout)
        try:
            messages.write(channel, {"ask": action, "content_type": TYPED}, question)
        except TimeoutError as error:
            raise self._timed_out() from error
        except OSError as error:
            raise self._died() from error

    def _receive(self) -> Message:
        channel = self._running_worker().channel
        try:
            message = messages.read(channel)
        except TimeoutError as error:
            raise self._timed_out() from error
        except (OSError, ValueError) as error:
            raise self._died() from error
        except BaseException:
            # After an interrupt, the answer under way would be taken for the next one.
            self._abandon()
            raise
        if message is None or not isinstance(message[0].get("event"), str):
            raise self._died()
        return message

    def _running_worker(self) -> Worker:
        if self._worker is None:
            raise PredictionFailed("predict", "its process was ended meanwhile")
        return self._worker

    def _timed_out(self) -> PredictionFailed:
        self._abandon()
        return PredictionFailed(
            "predict", f"it was still running after {self._timeout:g} s and was stopped"
        )

    def _died(self) -> PredictionFailed:
        journal = self._abandon(_REPORT_PATIENCE)
        how = journal.failure if journal else "is closed"
        return PredictionFailed(
            "predict", f"its process {how}. The next prediction starts a new one"
        )

    def _abandon(self, patience: float = 0.0) -> Journal | None:
        """End the worker, if there is one, within so many seconds, and return its report."""
        worker, self._worker = self._worker, None
        if worker is None:
            return None
        return worker.end(patience)

    @staticmethod
    def _raise(header: Mapping[str, Any]) -> NoReturn:
        """Raise the failure that the worker reports."""
        message = str(header.get("message") or "")
        problem = str(header.get("type"))
        if message:
            problem = f"{problem}: {message}"
        if header.get("kind") == "input":
            raise InputMismatch(message or problem)
        phase, traceback = str(header.get("phase")), str(header.get("traceback", ""))
        raise PredictionFailed(phase, problem, traceback)
