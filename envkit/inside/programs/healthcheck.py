"""Ask a server in this container whether it can answer: exit code 0 when it can, 1 when not.

For images without a shell or curl. One argument: the port; by default that of the server.
"""

from __future__ import annotations

import os
import socket
import sys

PATH = "/readyz"
DEFAULT_PORT = "8080"
SECONDS = 5.0


def main(port: int) -> int:
    """Give the exit code."""
    request = "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".format(PATH)
    try:
        with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
            connection.sendall(request.encode())
            status = connection.makefile("rb").readline().split()
    except OSError:
        return 1
    return 0 if status[1:2] == [b"200"] else 1


if __name__ == "__main__":
    given = sys.argv[1:] or [os.environ.get("SAGEMAKER_BIND_TO_PORT", DEFAULT_PORT)]
    sys.exit(main(int(given[0])))
