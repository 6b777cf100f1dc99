"""Which models used an environment, and when: one small file for each model, touched at each use.

    <root>/uses/<environment>/<digest of the model's path>

The file holds the path of the model; its time of change is the last use.

Files of different models never meet, and that of one model is only touched or put in place whole:
no lock is needed. Where the store cannot be written to, nothing is remembered.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from envkit.models import store_folder


@dataclass(frozen=True, kw_only=True, slots=True)
class Uses:
    """When an environment was used last, in seconds since the epoch or 0, and by which models.

    The folder of the latest user is first.
    """

    last: float = 0.0
    models: tuple[Path, ...] = ()


def record(root: Path, name: str, model: Path) -> None:
    """Note that a model uses the environment of this name now."""
    content = os.fsencode(model)
    note = root / "uses" / name / hashlib.sha256(content).hexdigest()[:16]
    with suppress(OSError):
        try:
            os.utime(note)
        except FileNotFoundError:
            _put(note, content)


def of(root: Path, name: str) -> Uses:
    """Read the uses of an environment."""
    uses: list[tuple[float, Path]] = []
    for note in (root / "uses" / name).glob("[!.]*"):
        with suppress(OSError):
            uses.append((note.stat().st_mtime, Path(os.fsdecode(note.read_bytes()))))
    if not uses:
        return Uses()
    uses.sort(reverse=True)
    last, _ = uses[0]
    return Uses(last=last, models=tuple(model for _, model in uses))


def forget(root: Path, name: str) -> None:
    """Remove the uses of an environment that was removed."""
    shutil.rmtree(root / "uses" / name, ignore_errors=True)


def _put(note: Path, content: bytes) -> None:
    # 3 ms, only at a model's first use
    import tempfile

    store_folder.create(note.parents[2])
    note.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=note.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).replace(note)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
