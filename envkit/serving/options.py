"""What a server may be told."""

from __future__ import annotations

from dataclasses import dataclass

from envkit.errors import InvalidArgument

HOST, PORT = "127.0.0.1", 5000
TIMEOUT = 60.0
MAX_BODY = 100_000_000
QUEUE = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The limits of a server.

    workers: processes that load the model, each answers one request at a time. timeout: seconds
    that a request may wait for a worker, and that the model may then take. max_body: bytes of a
    request. queue: requests that may wait. show_traceback: whether clients are told what the model
    raised.
    """

    workers: int = 1
    timeout: float = TIMEOUT
    max_body: int = MAX_BODY
    queue: int = QUEUE
    show_traceback: bool = False

    def __post_init__(self) -> None:
        """Raise `InvalidArgument` for what cannot be meant."""
        if (
            self.workers < 1
            or self.queue < 0
            or self.max_body < 1
            or not 0 < self.timeout < float("inf")
        ):
            raise InvalidArgument(
                "A server needs a worker, a body of one byte or more, and a timeout in seconds."
            )
