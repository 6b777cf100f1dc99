"""One build at a time for each package cache of conda.

Two runs of conda that download and extract into one fresh cache disturb each other
(`InvalidArchiveError`, `CondaVerificationError`); envkit's builds take turns.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from envkit.child.variables import Variables
from envkit.environments.installers.installer import Workshop
from envkit.environments.store import file_locks

_LOCK = ".envkit.lock"
_VARIABLE = "CONDA_PKGS_DIRS"


@contextmanager
def turn(folder: Path, workshop: Workshop) -> Iterator[Workshop]:
    """Wait until no other build uses a package cache; give a workshop that holds it.

    What the workshop runs keeps the lock, also when envkit itself is killed. Where nothing can be
    locked, there is no wait.
    """
    descriptor = _locked(folder, workshop)
    if descriptor is None:
        yield workshop
        return
    try:
        yield replace(workshop, inherit=(*workshop.inherit, descriptor))
    finally:
        os.close(descriptor)


def _locked(folder: Path, workshop: Workshop) -> int | None:
    for place in (folder, workshop.cache):
        try:
            place.mkdir(parents=True, exist_ok=True)
            return file_locks.exclusive(place / _LOCK, partial(_report_wait, workshop, folder))
        except OSError:
            # read-only, or on a file system without locks
            continue
    return None


def _report_wait(workshop: Workshop, folder: Path) -> None:
    if workshop.report is not None:
        workshop.report(f"Waiting for another build that uses {folder}")


def folder(configured: Sequence[str], root: Path, environ: Variables) -> Path:
    """Return the package cache that a program in the installation `root` writes to."""
    named = [part for part in re.split(r"[,:]", environ.get(_VARIABLE, "")) if part.strip()]
    for path in (*named, *configured):
        return Path(path.strip()).expanduser().absolute()
    own = Path(environ.get("MAMBA_ROOT_PREFIX") or root, "pkgs")
    if os.access(own, os.W_OK):
        return own
    return Path.home() / ".conda" / "pkgs"
