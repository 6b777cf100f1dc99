"""What the model does to the world outside it: what it writes there, and whom it asks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from envkit.capturing.places import Places
from envkit.capturing.trace import Trace
from envkit.models.capture_warnings import CaptureWarning, WarningKind

SHOWN = 3


def writes(trace: Trace, places: Places) -> list[str]:
    """Give what was written as it stands in the evidence: seen from the model, or from the home as `~/…`."""
    return sorted({_from_home(places.relative(path)) for path in trace.written})


def warnings(trace: Trace, places: Places) -> Iterator[CaptureWarning]:
    """Tell what was written outside the model, and each address: no file of a capture holds either."""
    outside = [path for path in trace.written if not places.is_local(path)]
    home = [path for path in outside if _from_home(path) != path]
    for where, paths in (
        ("into the home folder", home),
        ("outside its folder", sorted(set(outside) - set(home))),
    ):
        if paths:
            shown = list(map(_from_home, paths))
            detail = f"the model writes {where}: {_some(shown)}; elsewhere that is not there, or must not be written"
            yield CaptureWarning(kind=WarningKind.WRITES, subject=shown[0], detail=detail)
    for address in sorted(trace.connections):
        detail = f"the model connects to {address}: what it gets from there is not recorded"
        yield CaptureWarning(kind=WarningKind.CONNECTS, subject=address, detail=detail)


def _from_home(path: str) -> str:
    home = os.path.expanduser("~")  # noqa: PTH111 - as it is, also where there is none
    if Path(path).is_relative_to(home):
        return f"~/{Path(path).relative_to(home)}"
    return path


def _some(paths: Sequence[str]) -> str:
    if len(paths) > SHOWN:
        more = f" and {len(paths) - SHOWN} more"
    else:
        more = ""
    return f"{', '.join(paths[:SHOWN])}{more}"
