"""Who did it: the frame that stands behind an import or a read."""

from __future__ import annotations

from types import FrameType
from typing import Any, Callable

from .origins import MACHINERY, OTHER, Origins, absolute


class Caller:
    """The nearest frame outside the import system, the recording and the standard library."""

    __slots__ = ("_kind_of", "file", "frame", "line", "name")

    def __init__(self, frame: FrameType, kind_of: Callable[[FrameType], int]) -> None:
        attributes = frame.f_globals
        name = attributes.get("__name__")
        file = attributes.get("__file__")
        self.frame = frame
        self._kind_of = kind_of
        self.name = name if isinstance(name, str) else ""
        self.file = absolute(file) if isinstance(file, str) else None
        self.line = frame.f_lineno or 0

    @property
    def importing(self) -> list[list[Any]]:
        """Where the caller's own top-level package is being imported, innermost first: [file, line] of each frame.

        Empty when something called it later. The outermost entry is the top-level code of a module of that package.
        """
        top = self.name.partition(".")[0]
        passed: list[list[Any]] = []
        upto = 0
        frame: FrameType | None = self.frame
        while frame is not None:
            if self._kind_of(frame) == OTHER:
                name = frame.f_globals.get("__name__")
                if not isinstance(name, str) or name.partition(".")[0] != top:
                    break
                passed.append([frame.f_code.co_filename, frame.f_lineno or 0])
                if frame.f_code.co_name == "<module>":
                    upto = len(passed)
            frame = frame.f_back
        return passed[:upto]


class Callers:
    """Finds callers."""

    def __init__(self, origins: Origins) -> None:
        self._kind_of = origins.kind_of

    def behind(self, frame: FrameType | None) -> Caller | None:
        """Give the caller in `frame` or above; one of the standard library if there is no other, else None."""
        substitute = None
        while frame is not None:
            kind = self._kind_of(frame)
            if kind == OTHER and "__name__" in frame.f_globals:  # without: `exec` with empty globals, by the next frame
                return Caller(frame, self._kind_of)
            if substitute is None and kind != MACHINERY:
                substitute = frame
            frame = frame.f_back
        return None if substitute is None else Caller(substitute, self._kind_of)


def as_importer(caller: Caller | None, *, own: bool = False) -> dict[str, Any]:
    """Give the keys of an event that tell who imported; `own`: a part of its own package."""
    if caller is None:
        return {"importer": "", "importer_file": None, "line": 0, "importing": []}
    return {
        "importer": caller.name,
        "importer_file": caller.file,
        "line": caller.line,
        "importing": [] if own else caller.importing,
    }


def as_reader(caller: Caller | None) -> dict[str, Any]:
    """Give the keys of an event that tell who read."""
    if caller is None:
        return {"reader": "", "reader_file": None, "line": 0}
    return {"reader": caller.name, "reader_file": caller.file, "line": caller.line}
