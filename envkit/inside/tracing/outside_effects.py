"""Recording of what the model does to the world outside it: what it writes, and where it connects to."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Callable, Dict, Set

from .callers import Callers, as_reader

BYTECODE = "__pycache__"
NOT_FILES = ("/dev/", "/proc/", "/sys/")
TEMPORARY = ("/tmp", "/var/tmp")
NUMERIC = re.compile(r"[0-9.]*|.*:.*")
Arguments = Any
Tell = Callable[..., None]


class Outward:
    """Handlers of audit events (https://docs.python.org/3/library/audit_events.html).

    What is done below a temporary folder is left out, unless the home is there.
    """

    def __init__(self, tell: Tell, callers: Callers, own_file: str) -> None:
        self._tell, self._callers, self._own_file = tell, callers, own_file
        self._written: Set[str] = set()
        self._connected: Set[str] = set()
        self._asked: Dict[int, str] = {}  # the host whose address was last asked for, by the port
        self._home = _folder(_variable(b"HOME") or "/nonexistent")
        folders = (*TEMPORARY, _variable(b"TMPDIR"))
        self._temporary = tuple(_folder(each) for each in folders if each)

    def handlers(self) -> Dict[str, Callable[[Arguments], None]]:
        """Give them by the names of their events."""
        return {
            "os.mkdir": self._mkdir,
            "os.truncate": lambda arguments: self.write(arguments[0]),
            "os.link": lambda arguments: self.write(arguments[1], arguments[3]),
            "os.symlink": lambda arguments: self.write(arguments[1], arguments[2]),
            "os.rename": self._rename,
            "os.remove": lambda arguments: self._gone(arguments[0], arguments[1]),
            "os.rmdir": lambda arguments: self._gone(arguments[0], arguments[1]),
            "sqlite3.connect": self._database,
            "socket.getaddrinfo": self._ask,
            "socket.connect": self._connect,
            "socket.sendto": self._connect,
        }

    def write(self, path: Any, folder: int = -1) -> None:
        """Tell of a path that is made or changed; one that cannot be is told of too: it was tried."""
        found = self._place(path, folder)
        if found and found not in self._written:
            self._written.add(found)
            self._tell(
                event="write",
                path=found,
                gone=False,
                **as_reader(self._callers.behind(sys._getframe(1))),
            )

    def _mkdir(self, arguments: Arguments) -> None:
        found = self._place(arguments[0], arguments[2])
        if found and not os.path.isdir(found):  # `makedirs` tries it on those that are there
            self.write(found)

    def _gone(self, path: Any, folder: int = -1) -> None:
        """Tell of a path that is no more: if the model made it, nothing is left of it; else that is a change too."""
        found = self._place(path, folder)
        if found and found not in self._written and os.path.lexists(found):
            self.write(found)
        elif found:
            self._written.discard(found)
            self._tell(
                event="write",
                path=found,
                gone=True,
                **as_reader(self._callers.behind(sys._getframe(1))),
            )

    def _rename(self, arguments: Arguments) -> None:
        self._gone(arguments[0], arguments[2])
        self.write(arguments[1], arguments[3])

    def _database(self, arguments: Arguments) -> None:
        if not str(arguments[0]).startswith((":", "file:")):
            self.write(arguments[0])

    def _place(self, path: Any, folder: int) -> str:
        """Give the absolute path; empty when it is of no interest."""
        if isinstance(path, int) or path is None:
            return ""
        text = os.fsdecode(path)
        if folder >= 0:
            try:
                text = os.path.join(os.readlink("/proc/self/fd/%d" % folder), text)
            except OSError:
                return ""
        text = os.path.abspath(text)
        below = text + os.sep
        temporary = below.startswith(self._temporary) and not below.startswith(self._home)
        if temporary or below.startswith(NOT_FILES) or text == self._own_file or BYTECODE in text:
            return ""
        return text

    def _ask(self, arguments: Arguments) -> None:
        host, port = arguments[:2]
        if isinstance(host, (str, bytes)):
            name = os.fsdecode(host)
        else:
            name = ""
        has_port = isinstance(port, (int, str)) and str(port).isdigit() and int(port)
        if name and has_port and not NUMERIC.fullmatch(name):
            self._asked[int(port)] = name
            self._once("%s:%s" % (name, port))

    def _connect(self, arguments: Arguments) -> None:
        address = arguments[1]
        if isinstance(address, tuple) and len(address) >= 2:
            self._once("%s:%s" % (self._asked.get(address[1], address[0]), address[1]))
        elif isinstance(address, (str, bytes)):
            # of a socket; one without a file is between the model's own processes
            path = os.fsdecode(address)
            if path and path[0] != "\0" and self._place(path, -1):
                self._once(path)

    def _once(self, address: str) -> None:
        if address not in self._connected:
            self._connected.add(address)
            self._tell(event="connect", address=address)


def is_for_writing(mode: Any, flags: Any) -> bool:
    """Whether a file is opened so that it can be changed."""
    if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        return True
    return isinstance(mode, str) and not {"w", "a", "x", "+"}.isdisjoint(mode)


def _folder(path: str) -> str:
    return os.path.join(os.path.abspath(path), "")


def _variable(name: bytes) -> str:
    """Ask without being recorded."""
    data: Any = os.environ
    return os.fsdecode(data._data.get(name, b""))
