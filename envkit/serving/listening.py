"""The addresses of a server: a port or a UNIX socket, with or without TLS."""

from __future__ import annotations

import socket
import ssl
import stat
from pathlib import Path

from envkit.errors import AddressUnavailable, InvalidArgument

OTHER_PORT = "Choose another address with `--port` or `--host`."
OTHER_PATH = "Choose another path with `--uds`."


def bind(host: str, port: int) -> socket.socket:
    """Bind a socket to an address; port 0 chooses a free one.

    Raises:
        InvalidArgument: The host is unknown.
        AddressUnavailable: The port is in use, or this machine does not allow it.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, OverflowError, UnicodeError) as error:
        raise InvalidArgument(
            f"Cannot listen on port {port} of {host}: {_problem(error)}. {OTHER_PORT}"
        ) from None
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise _unavailable(host, port, error) from None
    return bound


def bind_unix(path: Path) -> socket.socket:
    """Bind a UNIX socket; one that a server left behind is replaced.

    The umask decides who may connect. Raises `AddressUnavailable`.
    """
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_unused(path)
        bound.bind(str(path))
    except OSError as error:
        bound.close()
        raise AddressUnavailable(str(path), _problem(error), OTHER_PATH) from None
    except ValueError as error:  # a null byte
        bound.close()
        raise InvalidArgument(f"Cannot listen on {str(path)!r}: {error}.") from None
    return bound


def remove_unix(bound: socket.socket, path: Path) -> None:
    """Close a UNIX socket and remove its file."""
    bound.close()
    path.unlink(missing_ok=True)


def listen(bound: socket.socket, backlog: int) -> None:
    """Accept connections.

    Raises `AddressUnavailable` when another process listens at the address.
    """
    try:
        bound.listen(backlog)
    except OSError as error:
        if bound.family == socket.AF_UNIX:
            raise AddressUnavailable(bound.getsockname(), _problem(error), OTHER_PATH) from None
        host, port = bound.getsockname()[:2]
        raise _unavailable(host, port, error) from None


def url_of(bound: socket.socket, *, has_tls: bool = False) -> str:
    """Give the URL of a socket; `unix:PATH` for a UNIX socket."""
    if bound.family == socket.AF_UNIX:
        return f"unix:{bound.getsockname()}"
    scheme = "https" if has_tls else "http"
    host, port = bound.getsockname()[:2]
    if ":" in host:
        return f"{scheme}://[{host}]:{port}"
    return f"{scheme}://{host}:{port}"


def check_certificate(certificate: Path, key: Path | None) -> None:
    """Check that a certificate and its key can be used. Raises `InvalidArgument`.

    A key with a password is rejected: OpenSSL would ask for it on the terminal.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:  # `ssl.SSLError` is an `OSError`
        files = f"{certificate} and {key}" if key else str(certificate)
        raise InvalidArgument(
            f"TLS cannot use {files}: {_problem(error)}. They must be a certificate chain and its "
            "key without a password, as PEM (`--ssl-certfile`, `--ssl-keyfile`)."
        ) from None


def _remove_unused(path: Path) -> None:
    """Remove a socket that no process listens on. Raises `OSError` for any other file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(0, "the file exists and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()


def _unavailable(host: str, port: int, error: Exception) -> AddressUnavailable:
    return AddressUnavailable(f"port {port} of {host}", _problem(error), OTHER_PORT)


def _problem(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
