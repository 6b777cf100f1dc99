"""`extra_files`: files that go along with a model."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from envkit.errors import InvalidArgument

FOLDER = "extra_files"


def check(files: Sequence[str | Path] | None) -> list[Path]:
    """Return the files as absolute paths; raise `InvalidArgument` if one does not exist."""
    if isinstance(files, str | Path):
        raise InvalidArgument(
            f"extra_files must be a list of files; write extra_files=[{str(files)!r}]."
        )
    paths = [
        Path(str(file).removeprefix("file://")).expanduser().absolute() for file in files or ()
    ]
    for path in paths:
        if not path.is_file():
            raise InvalidArgument(f"extra_files: there is no file {path}.")
    return paths


def copy(files: Sequence[Path], model: Path) -> list[dict[str, str]]:
    """Copy files into a model, and return what `MLmodel` says about them."""
    (model / FOLDER).mkdir()
    for file in files:
        shutil.copy2(file, model / FOLDER / file.name)
    return [{"path": f"{FOLDER}/{file.name}"} for file in files]
