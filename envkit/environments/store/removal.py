"""Remove an environment that no program uses; no interruption leaves half of one as ready."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from envkit.child.progress import Reporter
from envkit.environments.store import file_locks, location
from envkit.environments.store.manifest import MARKER
from envkit.errors import BuildFailed

PATIENCE_SECONDS = 60.0  # with programs that run in an environment which must be rebuilt


def remove(place: Path) -> None:
    """Remove an environment, its marker first: an interruption leaves nothing that looks ready."""
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.exists():
        (place / MARKER).unlink(missing_ok=True)
        try:
            shutil.rmtree(place)
        except PermissionError:
            _make_removable(place)
            shutil.rmtree(place)


def claim(place: Path) -> bool:
    """Take the marker of an environment away, unless a program runs in it.

    The lock need not be kept: a program that comes later finds no marker.
    """
    marker = place / MARKER
    if not marker.is_file():
        return True
    descriptor = file_locks.exclusive(marker, create=False)
    if descriptor is None:
        return False
    _release(marker, descriptor)
    return True


def await_programs(place: Path, why: str, report: Reporter) -> None:
    """Wait for the programs that run in an environment which must be rebuilt.

    Raises `BuildFailed` when they do not end.
    """
    marker = place / MARKER
    if not marker.is_file():
        return

    def waiting() -> None:
        report(f"Waiting for programs that run in {place}, which must be rebuilt: {why}")

    descriptor = file_locks.exclusive(marker, waiting, create=False, patience=PATIENCE_SECONDS)
    if descriptor is None:
        raise BuildFailed(
            f"rebuild {place}, where programs run ({why})",
            f"`envkit envs list` shows environments in use. Stop the programs. {location.REMEDY}",
        )
    _release(marker, descriptor)


def _release(marker: Path, descriptor: int) -> None:
    marker.unlink(missing_ok=True)
    os.close(descriptor)


def _make_removable(place: Path) -> None:
    """Give the owner all rights in the folders of an environment; some packages take them away."""
    place.chmod(0o700)
    for folder, names, _ in os.walk(place):
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o700)
