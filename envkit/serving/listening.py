"""The address of a server."""

from __future__ import annotations

import socket

from envkit.errors import InvalidArgument


def bind(host: str, port: int) -> socket.socket:
    """Bind a socket to an address; port 0 chooses a free one. Raises `InvalidArgument`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        raise _unusable(host, port, error) from None
    return bound


def listen(bound: socket.socket, backlog: int) -> None:
    """Accept connections. Raises `InvalidArgument` when another process listens at the address."""
    try:
        bound.listen(backlog)
    except OSError as error:
        host, port = bound.getsockname()[:2]
        raise _unusable(host, port, error) from None


def url_of(bound: socket.socket) -> str:
    """Give the URL of a socket."""
    host, port = bound.getsockname()[:2]
    if ":" in host:
        return f"http://[{host}]:{port}"
    return f"http://{host}:{port}"


def _unusable(host: str, port: int, error: Exception) -> InvalidArgument:
    problem = getattr(error, "strerror", None) or str(error)
    return InvalidArgument(
        f"Cannot listen on port {port} of {host}: {problem}. "
        "Choose another address with `--port` or `--host`."
    )
