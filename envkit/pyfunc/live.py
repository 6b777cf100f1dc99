"""A model that lives in an environment of its own and is asked from here.

Its process is a worker (`envkit/inside/__main__.py` has the protocol): started once, asked over a
socket, its answers values with their types (`envkit/inside/data/wire.py`), never pickles. It ends
when it is closed, when nothing refers to it any more, and when this process ends, however it does.
"""

from __future__ import annotations

import os
import socket
import threading
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from types import TracebackType
from typing import Any, Self

from envkit.child import variables as variables_of
from envkit.child.worker import Worker
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.reproduction import prepare_model
from envkit.environments.store.in_use import occupied
from envkit.environments.workers import Workplace
from envkit.errors import InputMismatch, InvalidArgument, PredictionFailed, ToolNotFound
from envkit.inside import messages
from envkit.inside.data import wire
from envkit.inside.data.json_encoding import NotEncodable
from envkit.inside.data.requests.scoring_request import TYPED
from envkit.models.directory import ModelDirectory
from envkit.pyfunc.configuration import request
from envkit.pyfunc.loaded import PyFuncModel


def live(
    directory: ModelDirectory,
    config: Any,
    choice: EnvironmentChoice,
    timeout: float | None,
    variables: Mapping[str, str],
    report: Callable[[str], None] | None,
) -> LivePyFuncModel:
    """Rebuild the environment of a model and load the model in it."""
    if timeout is not None and not timeout > 0:
        raise InvalidArgument(f"timeout must be above 0, not {timeout}.")
    variables_of.check(variables)
    environment = prepare_model(directory, choice, report)
    held = ExitStack()
    try:
        descriptors = held.enter_context(occupied(environment))
        workplace = Workplace(
            environment=environment,
            request=request(directory, config),
            variables=variables,
            descriptors=descriptors,
        )
        process = _Process(workplace, held, timeout)
        process.begin()
    except BaseException:
        held.close()
        raise
    return LivePyFuncModel(directory, config, process)


class LivePyFuncModel(PyFuncModel):
    """A model in a process of its own; `close` it, or use it in a `with` statement.

    Threads may share it: one question is answered after the other. What the model raises is a
    `PredictionFailed` with its traceback, and the process goes on. A process that died, or took
    longer than `timeout`, is told as such, and the next question starts a new one.
    """

    def __init__(self, directory: ModelDirectory, config: Any, process: _Process) -> None:
        super().__init__(directory, None, config)
        self._process = process
        self._finalizer = weakref.finalize(self, process.end)

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict in the model's environment; the answer has the types that the model gave it.

        Raises `InputMismatch` for data that do not fit the signature, `PredictionFailed` when the
        model fails, takes longer than allowed or its process dies, `InvalidArgument` once it is
        closed.
        """
        return _value(self._process.ask("predict", _question(data, params)))

    def predict_stream(self, data: Any, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Predict piece by piece. Others wait until the stream has ended, or its iterator has been closed."""
        if not self._process.streamable:
            raise InvalidArgument(
                f"{self._directory.name} does not predict piece by piece: it is not streamable."
            )
        return _pieces(self._process.stream(_question(data, params)))

    def close(self) -> None:
        """End the process and all that it started. It may be called again."""
        self._finalizer()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._process.closed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Process:
    """The worker of one live model, and what must be kept while it may run."""

    def __init__(self, workplace: Workplace, held: ExitStack, timeout: float | None) -> None:
        self._workplace, self._held, self._timeout = workplace, held, timeout
        self._asking = threading.RLock()
        # a worker ends with the thread that starts it
        self._starter = ThreadPoolExecutor(max_workers=1)
        self._worker: Worker | None = None
        self._owner = os.getpid()
        self.streamable = False
        self.closed = False

    def begin(self) -> None:
        """Start a worker and wait until it has loaded its model."""
        preparation = self._workplace.prepare()
        worker = self._starter.submit(self._workplace.start, preparation).result()
        self._worker = worker
        try:
            told = messages.read(worker.channel)
        except (OSError, ValueError):
            told = None
        except BaseException:
            self._abandon()
            raise
        if told is None or told[0].get("event") != "ready":
            self._worker = None
            raise self._workplace.failure(worker.end(1.0))
        self.streamable = bool(told[0].get("streamable"))

    def ask(self, what: str, question: bytes) -> bytes:
        """Ask one question and give the answer."""
        self._refuse_others()
        with self._asking:
            self._send(what, question)
            event, body = self._heard()
            if event["event"] == "answer":
                return body
            return self._failed(event)

    def stream(self, question: bytes) -> Generator[bytes]:
        """Ask for a stream and give its pieces."""
        self._refuse_others()
        with self._asking:
            self._send("stream", question)
            complete = False
            try:
                while (heard := self._heard())[0]["event"] == "piece":
                    yield heard[1]
                complete = True
                if heard[0]["event"] != "end":
                    self._failed(heard[0])
            finally:
                if not complete and self._worker is not None:
                    self._stop()

    def _stop(self) -> None:
        """Say that no more is wanted, and read what is on its way."""
        if self._worker is not None:
            messages.write(self._worker.channel, {"ask": "stop"})
            while self._heard()[0]["event"] == "piece":
                pass

    def _refuse_others(self) -> None:
        """A process that was forked from the one that loaded it would take answers that are not its own."""
        if os.getpid() != self._owner:
            raise InvalidArgument(
                "The model belongs to the process that loaded it; load it in this one, too."
            )

    def end(self) -> None:
        """End the worker for good; in a process that was forked it goes on."""
        self.closed = True
        if os.getpid() != self._owner:
            return
        try:
            self._abandon(0.5)
        finally:
            self._starter.shutdown(wait=False)
            self._held.close()

    def _send(self, what: str, question: bytes) -> None:
        if self.closed:
            raise InvalidArgument("The model is closed; load it again.")
        if self._worker is None:
            self.begin()
        channel = self._channel
        channel.settimeout(self._timeout)
        try:
            messages.write(channel, {"ask": what, "content_type": TYPED}, question)
        except TimeoutError as error:
            raise self._late() from error
        except OSError as error:
            raise self._dead() from error

    @property
    def _channel(self) -> socket.socket:
        if self._worker is None:
            raise PredictionFailed("predict", "its process was ended meanwhile")
        return self._worker.channel

    def _heard(self) -> tuple[Mapping[str, Any], bytes]:
        channel = self._channel
        try:
            told = messages.read(channel)
        except TimeoutError as error:
            raise self._late() from error
        except (OSError, ValueError) as error:
            raise self._dead() from error
        except BaseException:  # interrupted: what is on its way would be taken for the next answer
            self._abandon()
            raise
        if told is None or not isinstance(told[0].get("event"), str):
            raise self._dead()
        return told

    def _late(self) -> PredictionFailed:
        self._abandon()
        return PredictionFailed(
            "predict", f"it was still running after {self._timeout:g} s and was stopped"
        )

    def _dead(self) -> PredictionFailed:
        journal = self._abandon(1.0)
        how = journal.ended.how if journal else "is closed"
        return PredictionFailed("predict", f"its process {how}. The next question starts a new one")

    def _abandon(self, patience: float = 0.0) -> Any:
        worker, self._worker = self._worker, None
        if worker is not None:
            return worker.end(patience)
        return None

    def _failed(self, event: Mapping[str, Any]) -> bytes:
        if event.get("message"):
            said = f"{event['type']}: {event['message']}"
        else:
            said = str(event.get("type"))
        if event.get("kind") == "input":
            raise InputMismatch(str(event.get("message") or said))
        raise PredictionFailed(str(event.get("phase")), said, str(event.get("traceback", "")))


def _question(data: Any, params: Mapping[str, Any] | None) -> bytes:
    try:
        return wire.dumps((data, dict(params) if params is not None else None))
    except NotEncodable as error:
        raise InvalidArgument(f"The data cannot be sent to the model: {error}.") from error


def _pieces(contents: Generator[bytes]) -> Iterator[Any]:
    """Give the values; who closes the iterator ends the stream."""
    with closing(contents):
        yield from map(_value, contents)


def _value(content: bytes) -> Any:
    try:
        return wire.loads(content)
    except wire.Malformed as error:
        raise PredictionFailed("output", f"its answer is malformed: {error}") from error
    except ImportError as error:
        raise ToolNotFound(
            str(error.name), "The model's answer is of that library's types."
        ) from error
