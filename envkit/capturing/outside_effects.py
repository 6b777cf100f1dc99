"""What the model does outside its folder: which files it writes, and to what it connects."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from envkit.capturing.places import Places
from envkit.capturing.trace import Trace
from envkit.models.capture_warnings import CaptureWarning, WarningKind

SHOWN = 3


def writes(trace: Trace, places: Places) -> list[str]:
    """Return the paths for `envkit.json`, relative to the model, or to the home as `~/…`."""
    return sorted({_from_home(places.relative(path)) for path in trace.written})


def warnings(trace: Trace, places: Places) -> Iterator[CaptureWarning]:
    """Yield what was written outside the model, and each address; no capture records either."""
    outside = [path for path in trace.written if not places.is_local(path)]
    in_home = [path for path in outside if _from_home(path) != path]
    elsewhere = sorted(set(outside) - set(in_home))
    if in_home:
        yield _written("into the home folder", [_from_home(path) for path in in_home])
    if elsewhere:
        yield _written("outside its folder", elsewhere)
    for address in sorted(trace.connections):
        detail = f"the model connects to {address}: what it gets from there is not recorded"
        yield CaptureWarning(kind=WarningKind.CONNECTS, subject=address, detail=detail)


def _written(where: str, paths: Sequence[str]) -> CaptureWarning:
    shown = ", ".join(paths[:SHOWN])
    if len(paths) > SHOWN:
        shown += f" and {len(paths) - SHOWN} more"
    detail = (
        f"the model writes {where}: {shown}; "
        "on other machines that may not exist, or not be writable"
    )
    return CaptureWarning(kind=WarningKind.WRITES, subject=paths[0], detail=detail)


def _from_home(path: str) -> str:
    home = os.path.expanduser("~")  # noqa: PTH111 - does not raise where there is no home
    if Path(path).is_relative_to(home):
        return f"~/{Path(path).relative_to(home)}"
    return path
