"""The job `work`: a model that is loaded once and answers until nobody asks any more.

It is asked over the socket that the request names as `channel` (`messages` says how a message
looks). *It tells*, by the key "event" of the header:

    ready    once, when the model has loaded. streamable: whether it can be asked for a stream. uncompiled: as the
             event of that name in the journal; empty where bytecode can be written
    answer   body: the answer as JSON, `{"predictions": …}`, or the bare answer to a chat request
    piece    body: one piece of a stream as JSON
    end      the stream is complete, or has been stopped
    error    the question failed: the keys of the journal's `error`. When it is no fault of the model also `status` and
             `code`, as HTTP and MLflow name it, and `misfit`: whether the signature is what it offends against

*It is asked*, by the key "ask":

    predict  content_type: "json" | "csv" | "parquet"; body: such a request. It gets `answer` or `error`. With
             "typed", body and answer are values with their types (`wire`), the former a pair of data and parameters
    stream   the same; it gets any number of `piece`, then `end` or `error`
    stop     no piece is wanted any more. It gets nothing; where a stream is on its way that ends with `end`

One question is answered at a time. What fails while the model loads goes to the journal, as in all
jobs, and the process ends; so it does when the other side closes the socket.
"""

from __future__ import annotations

import json
import os
import select
import socket
from importlib import import_module
from typing import Any, Mapping

from . import failures, loading, messages
from .data import answer, payload, wire
from .data.signature import Signature
from .jobs import KINDS, flush
from .journal import LOWEST_DESCRIPTOR
from .tracing import bytecode


def work(request: Mapping[str, Any], channel: socket.socket) -> None:
    """Answer with the model of the request that has been loaded by `loading.load`."""
    model = loading.load(request)
    _import_what_requests_need()
    uncompiled = bytecode.not_kept() if request.get("limits") else []
    worker = Worker(model, request, channel)
    worker.tell({"event": "ready", "streamable": model.streams, "uncompiled": uncompiled})
    while True:
        asked = messages.read(channel)
        if asked is None:
            return
        worker.answer(*asked)


def _import_what_requests_need() -> None:
    """What is read by these libraries would otherwise be read late the first time."""
    for library in ("numpy", "pandas"):
        try:
            import_module(library)
        except Exception:  # not there, or broken, which is told when they are needed
            return


def channel_of(request: Mapping[str, Any]) -> socket.socket:
    """Take the socket, out of the way of what programs open and close by number, and not for what they start."""
    import fcntl

    given = request["channel"]
    high = fcntl.fcntl(given, fcntl.F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR)
    os.close(given)
    return socket.socket(fileno=high)


class Worker:
    """Answers one question after the other."""

    def __init__(
        self, model: loading.Model, request: Mapping[str, Any], channel: socket.socket
    ) -> None:
        self._model, self._channel = model, channel
        self._request = {**request, "signature": Signature(request.get("signature"))}  # read once
        self._process = os.getpid()
        self._phase = "input"

    def tell(self, header: Mapping[str, Any], body: bytes = b"") -> None:
        """Send a message; what the model forked has nothing to say, and ends."""
        if os.getpid() != self._process:
            os._exit(0)
        messages.write(self._channel, header, body)

    def answer(self, header: Mapping[str, Any], body: bytes) -> None:
        """Answer one question, whatever the model does."""
        self._phase = "input"
        try:
            if header["ask"] == "predict":
                self.tell({"event": "answer"}, self._predicted(header, body))
            elif header["ask"] == "stream":
                self._stream(header, body)
        except OSError as error:
            if self._phase == "told":  # nobody is there any more
                raise
            self._tell_failure(error, header)
        except (
            BaseException
        ) as error:  # also what means to end the process: the next question may go well
            self._tell_failure(error, header)
        flush()

    def _predicted(self, header: Mapping[str, Any], body: bytes) -> bytes:
        given = self._given(header, body)
        self._phase = "predict"
        result = self._model.predict(given.data, given.params)
        self._phase = "output"
        if header["content_type"] == payload.TYPED:
            return self._typed(result)
        found = answer.encode(result)
        return self._told(found if given.is_chat else {"predictions": found})

    def _given(self, header: Mapping[str, Any], body: bytes) -> payload.Given:
        model = self._model
        return payload.from_content(
            body, header["content_type"], self._request, model.takes_raw_inputs, model.reader
        )

    def _stream(self, header: Mapping[str, Any], body: bytes) -> None:
        given = self._given(header, body)
        self._phase = "predict"
        pieces = iter(self._model.predict_stream(given.data, given.params))
        for piece in pieces:
            self._phase = "output"
            typed = header["content_type"] == payload.TYPED
            self.tell(
                {"event": "piece"},
                self._typed(piece) if typed else self._told(answer.encode(piece)),
            )
            # to stop, which is read as a question of its own; or nobody is there
            if _is_asked(self._channel):
                break
            self._phase = "predict"
        getattr(pieces, "close", int)()
        self._phase = "told"
        self.tell({"event": "end"})

    def _typed(self, value: Any) -> bytes:
        content = wire.dumps(value)
        self._phase = "told"
        return content

    def _told(self, found: Any) -> bytes:
        content = json.dumps(found, allow_nan=False).encode("ascii")
        self._phase = "told"
        return content

    def _tell_failure(self, error: BaseException, asked: Mapping[str, Any]) -> None:
        if asked["content_type"] != payload.TYPED:
            refusal = failures.refusal(error)
        else:
            refusal = {}
        described = failures.describe(error, self._phase, KINDS.get(self._phase, "model"))
        self._phase = "told"
        self.tell({**described, **refusal})


def _is_asked(channel: socket.socket) -> bool:
    poll = select.poll()  # not `select`, which fails on descriptors over 1023
    poll.register(channel, select.POLLIN)
    return bool(poll.poll(0))
