"""The journal: JSON lines that survive whatever the model does to its own process."""

from __future__ import annotations

import json
import os
from typing import Any

LOWEST_DESCRIPTOR = 200  # out of the way of programs that open and close descriptors by number
CANNOT_REPORT = 74  # EX_IOERR of <sysexits.h>


class Journal:
    """Appends events to a file, each in one write, at once.

    A model may close every descriptor, also those that are not its own, and reuse their numbers. So
    before each write the descriptor is compared with the file that was opened first, and the file
    is opened again if it is another. No lock is needed: the system appends each write as a whole,
    whichever thread or process makes it.
    """

    def __init__(self, path: str, *, joins: bool = False) -> None:
        """Create the file, or join the process that did.

        Raises `OSError`, also when it exists, or does not.
        """
        self.path = path
        self._process = None if joins else os.getpid()
        self._descriptor = self._open(0 if joins else os.O_CREAT | os.O_EXCL)
        self._identity = self._identify()

    def write(self, event: dict[str, Any]) -> None:
        """Append one event; in another process than the first with its number."""
        process = os.getpid()
        if process != self._process:
            event = {**event, "pid": process}
        self._append((json.dumps(event) + "\n").encode("ascii"))

    @property
    def is_forked(self) -> bool:
        """Whether this process is another than the one that created the journal."""
        return os.getpid() != self._process

    def _append(self, line: bytes) -> None:
        """Write a whole line, or end the process."""
        if self._identify() != self._identity:
            self._descriptor = self._open(0)
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError:  # such as a full disk: a shorter journal must not look complete
            os._exit(CANNOT_REPORT)

    def _identify(self) -> tuple[int, int] | None:
        """Give the file that the descriptor stands for; None when it is closed."""
        try:
            status = os.fstat(self._descriptor)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _open(self, flags: int) -> int:
        """Open the file under a high number that child processes do not inherit."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | flags, 0o600)
        try:
            import fcntl  # not on Windows

            high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR)
        except (
            ImportError,
            OSError,
        ):  # the process may not have that many descriptors
            return descriptor
        os.close(descriptor)
        return high
