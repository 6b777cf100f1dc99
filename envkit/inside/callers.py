"""Who did it: the frame that stands behind an import or a read."""

from __future__ import annotations

import os
from types import FrameType
from typing import Any

from .origins import MACHINERY, OTHER, Origins


class Caller:
    """The nearest frame outside the import system, the recording and the standard library."""

    __slots__ = ("file", "frame", "line", "name")

    def __init__(self, frame: FrameType) -> None:
        attributes = frame.f_globals
        name = attributes.get("__name__")
        file = attributes.get("__file__")
        self.frame = frame
        self.name = name if isinstance(name, str) else ""
        self.file = os.path.abspath(file) if isinstance(file, str) else None
        self.line = frame.f_lineno or 0

    @property
    def eager(self) -> bool:
        """Whether this happens while the caller's own top-level package is being imported."""
        frame: FrameType | None = self.frame
        while frame is not None and frame.f_code.co_name != "<module>":
            frame = frame.f_back
        if frame is None:
            return False
        name = frame.f_globals.get("__name__")
        return isinstance(name, str) and name.partition(".")[0] == self.name.partition(".")[0]


class Callers:
    """Finds callers."""

    def __init__(self, origins: Origins) -> None:
        self._kind_of = origins.kind_of

    def behind(self, frame: FrameType | None) -> Caller | None:
        """Give the caller in `frame` or above; one of the standard library if there is no other, else None."""
        standard = None
        while frame is not None:
            kind = self._kind_of(frame)
            if kind == OTHER:
                return Caller(frame)
            if standard is None and kind != MACHINERY:
                standard = frame
            frame = frame.f_back
        return None if standard is None else Caller(standard)


def as_importer(caller: Caller | None) -> dict[str, Any]:
    """Give the keys of an event that tell who imported."""
    if caller is None:
        return {"importer": "", "importer_file": None, "line": 0, "eager": False}
    return {
        "importer": caller.name,
        "importer_file": caller.file,
        "line": caller.line,
        "eager": caller.eager,
    }
