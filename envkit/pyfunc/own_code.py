"""The author's own modules: `code_paths`, and the folders that they are imported from."""

from __future__ import annotations

import re
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path

from envkit.errors import InvalidArgument

FOLDER = "code"
_IGNORED = ("__pycache__", "*.pyc", ".git", ".venv")
_METADATA = re.compile(r"\.(dist|egg)-info$")


def check(code_paths: Sequence[str | Path] | None) -> list[Path]:
    """Return `code_paths` as absolute paths; raise `InvalidArgument` if one does not exist."""
    if code_paths is None:
        return []
    if isinstance(code_paths, str | Path):
        raise InvalidArgument(
            "code_paths must be a list of files and folders; "
            f"write code_paths=[{str(code_paths)!r}]."
        )
    paths = [Path(path).expanduser().absolute() for path in code_paths]
    for path in paths:
        if not path.exists():
            raise InvalidArgument(f"code_paths: there is no file or folder {path}.")
    return paths


def copy(paths: Sequence[Path], model: Path) -> None:
    """Copy each file or folder into the model's `code/`, under its own name; links are followed."""
    for path in paths:
        target = model / FOLDER
        if path.name:
            target = target / path.name
        if target.exists():
            raise InvalidArgument(
                f"code_paths: two of the paths are called {path.name}; rename one of them."
            )
        if model.is_relative_to(path.resolve()):
            raise InvalidArgument(
                f"code_paths: {path} contains the folder that the model is saved to."
            )
        target.parent.mkdir(exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, ignore=shutil.ignore_patterns(*_IGNORED))
        else:
            shutil.copy2(path, target)


def import_folders() -> Iterator[Path]:
    """Yield the folders of `sys.path` that hold own code, neither Python's nor distributions."""
    standard = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    for entry in dict.fromkeys(sys.path):
        folder = Path(entry or ".").absolute()
        # A colon would separate two folders in PYTHONPATH.
        if not folder.is_dir() or ":" in str(folder):
            continue
        resolved = folder.resolve()
        if resolved in standard or resolved.parent in standard:
            continue
        if not any(_METADATA.search(path.name) for path in folder.iterdir()):
            yield folder
