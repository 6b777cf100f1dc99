"""What a server says on standard error: problems, news and, when wanted, each request."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from envkit.serving.options import ServerOptions

Log = Callable[[str], None]

# Paths and the like are logged up to this length.
MAX_TEXT = 200


class ServerLog:
    """Logs as lines of text, or as one JSON object a line.

    Text goes through the logger `envkit` and the caller's `report`; requests and JSON go to
    standard error, each line with the time in UTC.
    """

    def __init__(self, options: ServerOptions, report: Log | None = None) -> None:
        logger = logging.getLogger("envkit")
        self._is_json = options.log_format == "json"
        self._has_requests = options.access_log
        self._warn = logger.warning
        self._inform = report or logger.info

    def warn(self, message: str) -> None:
        """Log a problem."""
        if self._is_json:
            self._write_json("warning", {"message": message})
        else:
            self._warn(message)

    def inform(self, message: str) -> None:
        """Log news."""
        if self._is_json:
            self._write_json("info", {"message": message})
        else:
            self._inform(message)

    def request(self, facts: Mapping[str, Any]) -> None:
        """Log a request that was answered: client, method, path, status, seconds, request_id."""
        if not self._has_requests:
            return
        if self._is_json:
            self._write_json("info", {"event": "request", **facts})
            return
        # Quoted as JSON, so that a path can neither end the line nor control a terminal.
        target = json.dumps(f"{facts['method']} {facts['path']}")
        measured = f"{facts['status']} {facts['seconds']:.4f}s {facts['request_id']}"
        _write(f"{_now()} {facts['client']} {target} {measured}")

    def _write_json(self, level: str, content: Mapping[str, Any]) -> None:
        _write(json.dumps({"time": _now(), "level": level, **content}))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write(line: str) -> None:
    # A server goes on when no one reads its output any more.
    with suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)
