"""Who did it: the frame that stands behind an import, a read or a write."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, Callable, Union

from .origins import MACHINERY, OTHER, Origins, absolute, top_level

Record = Callable[..., None]
"""Writes an event to the journal: `record(event="write", path=…)`."""


class Caller:
    """The nearest frame outside the import system, the recording and the standard library."""

    __slots__ = ("_kind_of", "file", "frame", "line", "name")

    def __init__(self, frame: FrameType, kind_of: Callable[[FrameType], int]) -> None:
        attributes = frame.f_globals
        name = attributes.get("__name__")
        file = attributes.get("__file__")
        self._kind_of = kind_of
        self.frame = frame
        self.name = name if isinstance(name, str) else ""
        self.file = absolute(file) if isinstance(file, str) else None
        self.line = frame.f_lineno or 0

    @property
    def importing(self) -> list[list[Any]]:
        """The frames through which the caller's own package is being imported, as [file, line].

        The innermost comes first. Empty when something called the caller later. The outermost entry
        is the top-level code of a module of that package, or `pkgutil.walk_packages` if that
        imports the package, because it goes on when an import fails.
        """
        top = top_level(self.name)
        passed: list[list[Any]] = []
        count = 0  # of the entries up to the outermost top-level code
        frame: FrameType | None = self.frame
        while frame is not None:
            if self._kind_of(frame) == OTHER:
                name = frame.f_globals.get("__name__")
                if not isinstance(name, str) or top_level(name) != top:
                    break
                passed.append([frame.f_code.co_filename, frame.f_lineno or 0])
                if frame.f_code.co_name == "<module>":
                    count = len(passed)
            elif count and _walks_packages(frame):
                passed.append([frame.f_code.co_filename, frame.f_lineno or 0])
                count = len(passed)
            frame = frame.f_back
        return passed[:count]


class Launcher:
    """Who started this process: stands for code of this process that has no file."""

    frame = None

    def __init__(self, reader: dict[str, Any]) -> None:
        """`reader`: what `as_reader` gave in the process that started this one."""
        self.importing: list[Any] = []
        self.name, self.file, self.line = (
            reader["reader"],
            reader["reader_file"],
            reader["line"],
        )


AnyCaller = Union[Caller, Launcher]


class Callers:
    """Finds callers."""

    def __init__(self, origins: Origins, launcher: Launcher | None = None) -> None:
        """`launcher`: in a process that the traced one started."""
        self._kind_of = origins.kind_of
        self._launcher = launcher

    def find(self, frame: FrameType | None) -> AnyCaller | None:
        """Find the caller in `frame` or above, else who started the process.

        A frame of the standard library counts only when there is no other.
        """
        standard = None
        while frame is not None:
            kind = self._kind_of(frame)
            # without a name: `exec` with empty globals; then the next frame is the caller
            if kind == OTHER and "__name__" in frame.f_globals:
                if self._launcher is not None and _is_command(frame):
                    return self._launcher
                return Caller(frame, self._kind_of)
            if standard is None and kind != MACHINERY:
                standard = frame
            frame = frame.f_back
        if self._launcher is not None:
            return self._launcher
        if standard is None:
            return None
        return Caller(standard, self._kind_of)

    def reader(self) -> dict[str, Any]:
        """Give the keys READER for the caller of the code that is recording."""
        return as_reader(self.find(sys._getframe(1)))


def _walks_packages(frame: FrameType) -> bool:
    """Whether the frame is that of `pkgutil.walk_packages`."""
    if frame.f_code.co_name != "walk_packages":
        return False
    return frame.f_globals.get("__name__") == "pkgutil"


def _is_command(frame: FrameType) -> bool:
    """Whether the frame runs the code of `python -c`, or of the standard input."""
    return frame.f_globals.get("__name__") == "__main__" and "__file__" not in frame.f_globals


def as_importer(caller: AnyCaller | None, *, within_package: bool = False) -> dict[str, Any]:
    """Give the keys IMPORTER of an event.

    Within_package: the module belongs to the caller's package.
    """
    if caller is None:
        return {
            "importer": "",
            "importer_file": None,
            "line": 0,
            "importing": [],
        }
    return {
        "importer": caller.name,
        "importer_file": caller.file,
        "line": caller.line,
        "importing": [] if within_package else caller.importing,
    }


def as_reader(caller: AnyCaller | None) -> dict[str, Any]:
    """Give the keys READER of an event."""
    if caller is None:
        return {
            "reader": "",
            "reader_file": None,
            "line": 0,
        }
    return {
        "reader": caller.name,
        "reader_file": caller.file,
        "line": caller.line,
    }
