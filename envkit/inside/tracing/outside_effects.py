"""Recording of what the model does outside its process: what it writes, and connections."""

from __future__ import annotations

import os
import re
from typing import Any, Callable

from .callers import Callers, Record

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
        self._record = record
        self._callers = callers
        self._journal = journal
        self._written: set[str] = set()
        self._connected: set[str] = set()
        self._resolved: dict[int, str] = {}  # the host that was resolved last, by port
        self._home = _as_folder(_variable(b"HOME") or "/nonexistent")
        folders = (*TEMPORARY_FOLDERS, _variable(b"TMPDIR"))
        self._temporary = tuple(_as_folder(folder) for folder in folders if folder)

    def handlers(self) -> dict[str, Handler]:
        """Give the handlers by the names of their events."""
        return {
            "os.mkdir": self._mkdir,
            "os.truncate": self._truncate,
            "os.link": self._link,
            "os.symlink": self._symlink,
            "os.rename": self._rename,
            "os.remove": self._remove,
            "os.rmdir": self._remove,
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
        """Write the event."""
        self._record(
            event="write",
            path=place,
            gone=gone,
            **self._callers.reader(),
        )

    def _mkdir(self, arguments: Arguments) -> None:
        """Record a new folder."""
        path, _, folder = arguments
        place = self._place(path, folder)
        if place and not os.path.isdir(place):  # `makedirs` also tries folders that exist
            self.write(place)

    def _truncate(self, arguments: Arguments) -> None:
        """Record a file that is cut."""
        self.write(arguments[0])

    def _link(self, arguments: Arguments) -> None:
        """Record a new hard link."""
        _, path, _, folder = arguments
        self.write(path, folder)

    def _symlink(self, arguments: Arguments) -> None:
        """Record a new symbolic link."""
        _, path, folder = arguments
        self.write(path, folder)

    def _remove(self, arguments: Arguments) -> None:
        """Record a removed file or folder."""
        path, folder = arguments
        self._record_removal(path, folder)

    def _rename(self, arguments: Arguments) -> None:
        """Record that one path is removed and another one made."""
        path, new_path, folder, new_folder = arguments
        self._record_removal(path, folder)
        self.write(new_path, new_folder)

    def _record_removal(self, path: Any, folder: int) -> None:
        """Record a removed path: if the model made it, nothing is left.

        Else that is a change, too.
        """
        place = self._place(path, folder)
        if not place:
            return
        if place not in self._written and os.path.lexists(place):
            self.write(place)
        else:
            self._written.discard(place)
            self._record_write(place, gone=True)

    def _database(self, arguments: Arguments) -> None:
        """Record the file of an SQLite database."""
        if not str(arguments[0]).startswith((":", "file:")):
            self.write(arguments[0])

    def _place(self, path: Any, folder: int) -> str:
        """Give the absolute path; empty when it is left out."""
        if isinstance(path, int) or path is None:
            return ""
        text = os.fsdecode(path)
        if folder >= 0:
            try:
                start = os.readlink("/proc/self/fd/%d" % folder)
            except OSError:
                return ""
            text = os.path.join(start, text)
        text = os.path.abspath(text)
        if text == self._journal or BYTECODE in text:
            return ""
        below = text + os.sep
        if below.startswith(SPECIAL_FOLDERS):
            return ""
        is_temporary = below.startswith(self._temporary)
        if is_temporary and not below.startswith(self._home):
            return ""
        return text

    def _resolve(self, arguments: Arguments) -> None:
        """Record a host by its name, before its address is used."""
        host, port = arguments[:2]
        if not isinstance(host, (str, bytes)) or not host:
            return
        name = os.fsdecode(host)
        number = _port(port)
        if number and not NUMERIC_ADDRESS.fullmatch(name):
            self._resolved[number] = name
            self._record_connection("%s:%s" % (name, port))

    def _connect(self, arguments: Arguments) -> None:
        """Record a connection, by the host's name if it was resolved."""
        address = arguments[1]
        if isinstance(address, tuple) and len(address) >= 2:
            host, port = address[:2]
            name = self._resolved.get(port, host)
            self._record_connection("%s:%s" % (name, port))
        elif isinstance(address, (str, bytes)):
            # a socket with a file; one without is between the model's own processes
            path = os.fsdecode(address)
            if path and path[0] != "\0" and self._place(path, -1):
                self._record_connection(path)

    def _record_connection(self, address: str) -> None:
        """Write the event, once for each address."""
        if address not in self._connected:
            self._connected.add(address)
            self._record(event="connect", address=address)


def is_for_writing(mode: Any, flags: Any) -> bool:
    """Whether a file is opened so that it can be changed."""
    if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        return True
    return isinstance(mode, str) and not {"w", "a", "x", "+"}.isdisjoint(mode)


def _port(port: Any) -> int:
    """Give the number of a port, which may be text; 0 for a service by name, or none."""
    if isinstance(port, (int, str)) and str(port).isdecimal():
        return int(port)
    return 0


def _as_folder(path: str) -> str:
    """Give what the paths in a folder start with."""
    return os.path.join(os.path.abspath(path), "")


def _variable(name: bytes) -> str:
    """Read an environment variable without recording that."""
    environ: Any = os.environ
    return os.fsdecode(environ._data.get(name, b""))
