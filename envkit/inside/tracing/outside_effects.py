"""Recording of what the model does to the world outside it: what it writes, and where it connects to."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Callable, Dict, Set

from .callers import Callers, Record, as_reader

BYTECODE = "__pycache__"
SPECIAL_FOLDERS = ("/dev/", "/proc/", "/sys/")
TEMPORARY_FOLDERS = ("/tmp", "/var/tmp")
NUMERIC_ADDRESS = re.compile(r"[0-9.]*|.*:.*")

Arguments = Any
Handler = Callable[[Arguments], None]


class OutsideEffects:
    """Handlers of audit events (https://docs.python.org/3/library/audit_events.html).

    What is done in temporary folders is left out, unless the home folder is in one.
    """

    def __init__(self, record: Record, callers: Callers, journal: str) -> None:
        """`journal`: its path, which is not recorded."""
        self._record, self._callers, self._journal = record, callers, journal
        self._written: Set[str] = set()
        self._connected: Set[str] = set()
        self._resolved: Dict[int, str] = {}  # the host that was resolved last, by port
        self._home = _as_folder(_variable(b"HOME") or "/nonexistent")
        folders = (*TEMPORARY_FOLDERS, _variable(b"TMPDIR"))
        self._temporary = tuple(_as_folder(folder) for folder in folders if folder)

    def handlers(self) -> Dict[str, Handler]:
        """Give the handlers by the names of their events."""
        return {
            "os.mkdir": self._mkdir,
            "os.truncate": lambda arguments: self.write(arguments[0]),
            "os.link": lambda arguments: self.write(arguments[1], arguments[3]),
            "os.symlink": lambda arguments: self.write(arguments[1], arguments[2]),
            "os.rename": self._rename,
            "os.remove": lambda arguments: self._remove(arguments[0], arguments[1]),
            "os.rmdir": lambda arguments: self._remove(arguments[0], arguments[1]),
            "sqlite3.connect": self._database,
            "socket.getaddrinfo": self._resolve,
            "socket.connect": self._connect,
            "socket.sendto": self._connect,
        }

    def write(self, path: Any, folder: int = -1) -> None:
        """Record a path that is made or changed, also if that fails: it was tried.

        folder: the descriptor that a relative path starts from.
        """
        place = self._place(path, folder)
        if place and place not in self._written:
            self._written.add(place)
            self._record_write(place, gone=False)

    def _record_write(self, place: str, *, gone: bool) -> None:
        reader = as_reader(self._callers.find(sys._getframe(1)))
        self._record(event="write", path=place, gone=gone, **reader)

    def _mkdir(self, arguments: Arguments) -> None:
        place = self._place(arguments[0], arguments[2])
        if place and not os.path.isdir(place):  # `makedirs` also tries folders that exist
            self.write(place)

    def _remove(self, path: Any, folder: int = -1) -> None:
        """Record a removed path: nothing is left of one that the model made; else that is a change, too."""
        place = self._place(path, folder)
        if not place:
            return
        if place not in self._written and os.path.lexists(place):
            self.write(place)
        else:
            self._written.discard(place)
            self._record_write(place, gone=True)

    def _rename(self, arguments: Arguments) -> None:
        self._remove(arguments[0], arguments[2])
        self.write(arguments[1], arguments[3])

    def _database(self, arguments: Arguments) -> None:
        if not str(arguments[0]).startswith((":", "file:")):
            self.write(arguments[0])

    def _place(self, path: Any, folder: int) -> str:
        """Give the absolute path; empty when it is left out."""
        if isinstance(path, int) or path is None:
            return ""
        text = os.fsdecode(path)
        if folder >= 0:
            try:
                text = os.path.join(os.readlink("/proc/self/fd/%d" % folder), text)
            except OSError:
                return ""
        text = os.path.abspath(text)
        if text == self._journal or BYTECODE in text:
            return ""
        below = text + os.sep
        if below.startswith(self._temporary) and not below.startswith(self._home):
            return ""
        if below.startswith(SPECIAL_FOLDERS):
            return ""
        return text

    def _resolve(self, arguments: Arguments) -> None:
        host, port = arguments[:2]
        if not isinstance(host, (str, bytes)) or not host:
            return
        name = os.fsdecode(host)
        has_port = isinstance(port, (int, str)) and str(port).isdigit() and int(port)
        if has_port and not NUMERIC_ADDRESS.fullmatch(name):
            self._resolved[int(port)] = name
            self._record_connection("%s:%s" % (name, port))

    def _connect(self, arguments: Arguments) -> None:
        address = arguments[1]
        if isinstance(address, tuple) and len(address) >= 2:
            host, port = address[:2]
            self._record_connection("%s:%s" % (self._resolved.get(port, host), port))
        elif isinstance(address, (str, bytes)):
            # a socket with a file; one without is between the model's own processes
            path = os.fsdecode(address)
            if path and path[0] != "\0" and self._place(path, -1):
                self._record_connection(path)

    def _record_connection(self, address: str) -> None:
        if address not in self._connected:
            self._connected.add(address)
            self._record(event="connect", address=address)


def is_for_writing(mode: Any, flags: Any) -> bool:
    """Whether a file is opened so that it can be changed."""
    if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        return True
    return isinstance(mode, str) and not {"w", "a", "x", "+"}.isdisjoint(mode)


def _as_folder(path: str) -> str:
    return os.path.join(os.path.abspath(path), "")


def _variable(name: bytes) -> str:
    """Read an environment variable without recording that."""
    environ: Any = os.environ
    return os.fsdecode(environ._data.get(name, b""))
