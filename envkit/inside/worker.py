"""The job `work`: a model that is loaded once, and answers questions.

`__main__` documents the messages.
"""

from __future__ import annotations

import json
import os
import select
import socket
from importlib import import_module
from typing import Any, Mapping

from . import bytecode, failures, loading, messages, standard_streams
from .data import json_encoding, wire
from .data.requests import scoring_request
from .data.requests.model_input import ModelInput
from .data.requests.scoring_request import TYPED
from .data.signature import Signature
from .journal import LOWEST_DESCRIPTOR
from .request import Request

READ_WITH = ("numpy", "pandas")
"""Libraries that requests are read with: imported early, so that the first one does not wait."""


def work(request: Request, channel: socket.socket) -> None:
    """Load the model of the request, then answer questions."""
    model = loading.load(request)
    _import_early()
    uncompiled = bytecode.not_kept() if request.get("limits") else []
    worker = Worker(model, Signature(request.get("signature")), channel)
    worker.send(
        {
            "event": "ready",
            "streamable": model.streams,
            "uncompiled": uncompiled,
        }
    )
    while True:
        message = messages.read(channel)
        if message is None:
            return
        worker.answer(*message)


def channel_of(request: Request) -> socket.socket:
    """Take the socket.

    Programs that open and close descriptors by number, or are started, do not get it.
    """
    import fcntl  # not on Windows

    inherited = request["channel"]
    descriptor = fcntl.fcntl(inherited, fcntl.F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR)
    os.close(inherited)
    return socket.socket(fileno=descriptor)


def _import_early() -> None:
    """Import what requests are read with, if it is installed."""
    for library in READ_WITH:
        try:
            import_module(library)
        except Exception:  # missing or broken, which is reported when it is needed
            return


class Worker:
    """Answers one question after the other.

    The phase says where it stands, for errors: `input`, `predict`, `output`, or `sent`, when only
    sending can fail.
    """

    def __init__(self, model: loading.Model, signature: Signature, channel: socket.socket) -> None:
        self._model = model
        self._signature = signature
        self._channel = channel
        self._process = os.getpid()
        self._phase = "input"

    def send(self, header: Mapping[str, Any], body: bytes = b"") -> None:
        """Send a message; a fork of the worker ends instead."""
        if os.getpid() != self._process:
            os._exit(0)
        messages.write(self._channel, header, body)

    def answer(self, header: Mapping[str, Any], body: bytes) -> None:
        """Answer one question, whatever the model does."""
        self._phase = "input"
        try:
            if header["ask"] == "predict":
                self._predict(header, body)
            elif header["ask"] == "stream":
                self._stream(header, body)
        except OSError as error:
            if self._phase == "sent":  # the parent has ended
                raise
            self._send_error(error, header)
        except (
            BaseException
        ) as error:  # also what is meant to end the process: other questions follow
            self._send_error(error, header)
        standard_streams.flush()

    def _predict(self, header: Mapping[str, Any], body: bytes) -> None:
        """Answer the question `predict`."""
        model_input = self._read(header, body)
        self._phase = "predict"
        answer = self._model.predict(model_input.data, model_input.params)
        self._phase = "output"
        if header["content_type"] == TYPED:
            content = wire.dumps(answer)
        elif model_input.is_chat:
            content = _as_json(answer)
        else:
            content = _as_json(answer, "predictions")
        self._phase = "sent"
        self.send({"event": "answer"}, content)

    def _stream(self, header: Mapping[str, Any], body: bytes) -> None:
        """Answer the question `stream`, until the parent sends something."""
        is_typed = header["content_type"] == TYPED
        model_input = self._read(header, body)
        self._phase = "predict"
        pieces = iter(self._model.predict_stream(model_input.data, model_input.params))
        for piece in pieces:
            self._phase = "output"
            content = wire.dumps(piece) if is_typed else _as_json(piece)
            self._phase = "sent"
            self.send({"event": "piece"}, content)
            if self._has_message():  # `stop`, which is read as the next question, or the end
                break
            self._phase = "predict"
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
        self._phase = "sent"
        self.send({"event": "end"})

    def _read(self, header: Mapping[str, Any], body: bytes) -> ModelInput:
        """Parse the request in a question."""
        return scoring_request.parse(
            body,
            header["content_type"],
            self._signature,
            raw=self._model.read_raw,
            reader=self._model.reader,
        )

    def _send_error(self, error: BaseException, header: Mapping[str, Any]) -> None:
        """Send the event `error`."""
        event = failures.describe(error, self._phase)
        if header["content_type"] != TYPED:
            event.update(failures.refusal(error))
        self._phase = "sent"
        self.send(event)

    def _has_message(self) -> bool:
        """Whether the parent has sent something, or has ended."""
        poll = select.poll()  # not `select`, which fails for descriptors over 1023
        poll.register(self._channel, select.POLLIN)
        return bool(poll.poll(0))


def _as_json(answer: Any, key: str = "") -> bytes:
    """Encode an answer, below a key if one is named."""
    value = json_encoding.encode(answer)
    if key:
        value = {key: value}
    return json.dumps(value, allow_nan=False).encode("ascii")
