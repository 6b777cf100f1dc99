"""A model directory that appears whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from envkit.errors import InvalidArgument


@contextmanager
def new_directory(path: str | Path) -> Iterator[Path]:
    """Give a hidden folder that becomes `path` when the block succeeds and is removed otherwise.

    Raises `InvalidArgument` if there is something other than an empty folder at `path`, or it
    cannot be written to.
    """
    target = _checked_target(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Next to the target, so that it can be renamed.
        hidden = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent.resolve()))
    except OSError as error:
        raise InvalidArgument(
            f"The model cannot be saved to {target}: {error.strerror}."
        ) from error
    try:
        hidden.chmod(0o755)
        yield hidden
        hidden.replace(target)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _checked_target(path: str | Path) -> Path:
    target = Path(path).expanduser().absolute()
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise InvalidArgument(f"{target} exists; save the model to a new or an empty folder.")
    if target.is_dir() and any(target.iterdir()):
        raise InvalidArgument(f"{target} is not empty; save the model to a new or an empty folder.")
    return target
