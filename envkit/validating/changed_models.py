"""The models that files belong to, for tools that know only which files changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from envkit.formats import mlmodel


def models_of(files: Iterable[str | Path]) -> tuple[Path, ...]:
    """Give the nearest folder with an `MLmodel` above each file, in order and without duplicates.

    Files that are in no model are skipped; a file that was removed counts for the model that it was
    in.
    """
    models: dict[Path, None] = {}
    for file in files:
        for folder in Path(file).parents:
            if (folder / mlmodel.FILE_NAME).is_file():
                models[folder] = None
                break
    return tuple(models)
