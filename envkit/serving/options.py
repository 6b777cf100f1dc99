"""The options of a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from envkit.errors import InvalidArgument

HOST = "127.0.0.1"
PORT = 5000
TIMEOUT = 60.0
MAX_BODY = 100_000_000
QUEUE = 100

LogFormat = Literal["text", "json"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerOptions:
    """The limits of a server and what it asks of clients, checked.

    Attributes:
        workers: The number of processes that load the model; each answers one request at a time.
        timeout: The seconds that a request may wait for a worker, and that the model may then take.
        max_body: The largest body of a request, in bytes.
        queue: The number of requests that may wait for a worker.
        show_traceback: Whether clients see what the model raised.
        limit_concurrency: The largest number of connections, and of requests at once.
        api_key: What clients must send; anyone may ask without it.
        allowed_hosts: The hosts that clients may name; `*.example.org` stands for subdomains.
        access_log: Whether each request is logged.
        log_format: How the server logs on standard error.
        docs: Whether the page `/docs` is served.
    """

    workers: int = 1
    timeout: float = TIMEOUT
    max_body: int = MAX_BODY
    queue: int = QUEUE
    show_traceback: bool = False
    limit_concurrency: int | None = None
    api_key: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    access_log: bool = False
    log_format: LogFormat = "text"
    docs: bool = False

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise InvalidArgument(f"workers must be at least 1, not {self.workers}.")
        if self.queue < 0:
            raise InvalidArgument(f"queue must not be negative: {self.queue}.")
        if self.max_body < 1:
            raise InvalidArgument(f"max_body must be at least 1 byte, not {self.max_body}.")
        if not 0 < self.timeout < float("inf"):
            raise InvalidArgument(f"timeout must be a number of seconds, not {self.timeout}.")
        if self.limit_concurrency is not None and self.limit_concurrency < 1:
            raise InvalidArgument(
                f"limit_concurrency must be at least 1, not {self.limit_concurrency}."
            )
        if self.api_key is not None and not _is_token(self.api_key):
            # An empty variable must not open the server.
            raise InvalidArgument("api_key must be printable ASCII without blanks, and not empty.")
        if not all(self.allowed_hosts):
            raise InvalidArgument("allowed_hosts must not have an empty name.")
        if self.log_format not in get_args(LogFormat):
            raise InvalidArgument(f"log_format must be text or json, not {self.log_format!r}.")


def _is_token(key: str) -> bool:
    """Whether a text can be sent in a header as it is."""
    return bool(key) and all("!" <= character <= "~" for character in key)
