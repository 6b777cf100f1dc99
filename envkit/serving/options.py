"""The options of a server."""

from __future__ import annotations

from dataclasses import dataclass

from envkit.errors import InvalidArgument

HOST = "127.0.0.1"
PORT = 5000
TIMEOUT = 60.0
MAX_BODY = 100_000_000
QUEUE = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerOptions:
    """The limits of a server, checked.

    Attributes:
        workers: The number of processes that load the model; each answers one request at a time.
        timeout: The seconds that a request may wait for a worker, and that the model may then take.
        max_body: The largest body of a request, in bytes.
        queue: The number of requests that may wait for a worker.
        show_traceback: Whether clients see what the model raised.
    """

    workers: int = 1
    timeout: float = TIMEOUT
    max_body: int = MAX_BODY
    queue: int = QUEUE
    show_traceback: bool = False

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise InvalidArgument(f"workers must be at least 1, not {self.workers}.")
        if self.queue < 0:
            raise InvalidArgument(f"queue must not be negative: {self.queue}.")
        if self.max_body < 1:
            raise InvalidArgument(f"max_body must be at least 1 byte, not {self.max_body}.")
        if not 0 < self.timeout < float("inf"):
            raise InvalidArgument(f"timeout must be a number of seconds, not {self.timeout}.")
