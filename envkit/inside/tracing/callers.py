"""Who did it: the frame that stands behind an import or a read."""

from __future__ import annotations

from types import FrameType
from typing import Any, Callable, Dict, List, Optional

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

        Empty when something called it later. The outermost entry is the top-level code of a module
        of that package.
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


class Launcher:
    """Who started this process, to stand for code that has no file and for none at all."""

    frame = None

    def __init__(self, told: Dict[str, Any]) -> None:
        self.importing: List[Any] = []
        self.name, self.file, self.line = told["reader"], told["reader_file"], told["line"]


class Callers:
    """Finds callers."""

    def __init__(self, origins: Origins, launcher: Optional[Launcher] = None) -> None:
        """`launcher`: in a process that the traced one started, who did it there."""
        self._kind_of = origins.kind_of
        self._launcher = launcher

    def behind(self, frame: FrameType | None) -> Caller | Launcher | None:
        """Give the caller in `frame` or above, else who started the process, else one of the standard library."""
        substitute = None
        while frame is not None:
            kind = self._kind_of(frame)
            # without: `exec` with empty globals, by the next frame
            if kind == OTHER and "__name__" in frame.f_globals:
                if self._launcher is not None and _is_command(frame):
                    return self._launcher
                return Caller(frame, self._kind_of)
            if substitute is None and kind != MACHINERY:
                substitute = frame
            frame = frame.f_back
        if self._launcher is not None:
            return self._launcher
        if substitute is None:
            return None
        return Caller(substitute, self._kind_of)


def _is_command(frame: FrameType) -> bool:
    """Whether the frame runs the code of `python -c`, or what came in by standard input."""
    return frame.f_globals.get("__name__") == "__main__" and "__file__" not in frame.f_globals


def as_importer(caller: Caller | Launcher | None, *, own: bool = False) -> dict[str, Any]:
    """Give the keys of an event that tell who imported; `own`: a part of its own package."""
    if caller is None:
        return {"importer": "", "importer_file": None, "line": 0, "importing": []}
    return {
        "importer": caller.name,
        "importer_file": caller.file,
        "line": caller.line,
        "importing": [] if own else caller.importing,
    }


def as_reader(caller: Caller | Launcher | None) -> dict[str, Any]:
    """Give the keys of an event that tell who read."""
    if caller is None:
        return {"reader": "", "reader_file": None, "line": 0}
    return {"reader": caller.name, "reader_file": caller.file, "line": caller.line}
