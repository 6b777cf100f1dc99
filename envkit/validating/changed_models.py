"""The models that files belong to, for tools that know only which files changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from envkit.formats import mlmodel


def models_of(files: Iterable[str | Path]) -> tuple[Path, ...]:
    """Give the folders with an `MLmodel` that lie nearest above some files, each once, in their order.

    Files that are in no model are passed over; one that was removed counts for the model that it
    was in.
    """
    found: dict[Path, None] = {}
    for file in files:
        for folder in Path(file).parents:
            if (folder / mlmodel.FILE_NAME).is_file():
                found[folder] = None
                break
    return tuple(found)
