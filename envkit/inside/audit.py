"""Recording through the interpreter's audit events: pickles, files, libraries, processes, connections."""

from __future__ import annotations

import os
import sys
from typing import Any, Callable

from .callers import Callers, as_reader
from .origins import Origins

CODE = (".py", ".pyc", ".so", ".pyd", ".dll", ".dylib", ".pth")
NOT_FILES = ("/dev/", "/proc/", "/sys/")
Tell = Callable[..., None]
Arguments = Any


class Audit:
    """One audit hook that looks its events up in a table; all others cost one failed look-up."""

    def __init__(self, tell: Tell, origins: Origins, callers: Callers, own_file: str) -> None:
        self._tell, self._origins, self._callers, self._own_file = tell, origins, callers, own_file
        self._seen: set[Any] = set()

    def install(self) -> None:
        """Add the hook, which cannot be removed again (PEP 578)."""
        find = {
            "pickle.find_class": self._pickle,
            "open": self._open,
            "ctypes.dlopen": self._library,
            "subprocess.Popen": lambda arguments: self._process(arguments[1]),
            "os.exec": lambda arguments: self._process(arguments[1]),
            "os.spawn": lambda arguments: self._process(arguments[2]),
            "os.posix_spawn": lambda arguments: self._process(arguments[1]),
            "os.system": lambda arguments: self._process(("sh", "-c", arguments[0])),
            "socket.connect": self._connect,
        }.get

        def hook(event: str, arguments: Arguments) -> None:
            handle = find(event)
            if handle is not None:
                handle(arguments)

        sys.addaudithook(hook)

    def _once(self, event: str, **facts: Any) -> None:
        key = (event, *facts.values())
        if key not in self._seen:
            self._seen.add(key)
            self._tell(event=event, **facts)

    def _pickle(self, arguments: Arguments) -> None:
        self._once("pickle", module=str(arguments[0]))

    def _open(self, arguments: Arguments) -> None:
        path, mode, flags = arguments
        if isinstance(path, int) or path is None or (type(path) is str and path in self._seen):
            return
        if not _is_for_reading(mode, flags):
            return
        text = os.fsdecode(path)
        if text.endswith(CODE) or text.startswith(NOT_FILES):
            return
        if os.path.isabs(text):
            self._seen.add(text)
        absolute = os.path.abspath(text)
        if absolute == self._own_file or self._origins.is_standard_file(absolute):
            return
        if os.path.isfile(absolute) and ("file", absolute) not in self._seen:
            self._seen.add(("file", absolute))
            caller = self._callers.behind(sys._getframe(2))
            self._tell(event="file", path=absolute, **as_reader(caller))

    def _library(self, arguments: Arguments) -> None:
        if isinstance(arguments[0], (str, bytes)) and arguments[0]:
            self._once("library", path=os.fsdecode(arguments[0]))

    def _process(self, argv: Any) -> None:
        if isinstance(argv, (str, bytes)) or hasattr(argv, "__fspath__"):
            argv = (argv,)
        self._once("process", argv=tuple(_text(each) for each in argv or ()))

    def _connect(self, arguments: Arguments) -> None:
        address = arguments[1]
        if isinstance(address, tuple) and len(address) >= 2:
            self._once("connect", address=f"{address[0]}:{address[1]}")
        else:
            self._once("connect", address=_text(address))


def _is_for_reading(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return "r" in mode or "+" in mode
    if not isinstance(flags, int):
        return True
    return not flags & os.O_WRONLY and not flags & getattr(os, "O_DIRECTORY", 0)


def _text(value: Any) -> str:
    try:
        return os.fsdecode(value)
    except TypeError:
        return str(value)
