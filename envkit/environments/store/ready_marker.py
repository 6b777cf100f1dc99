"""The marker of an environment that is ready: written last, onto the disk and then under its name.

It holds the key, the environment's own path (a virtual environment cannot move) and what lies
outside of the environment but must stay as it is: the interpreter, its library and its standard
library.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from envkit.environments.store import manifest
from envkit.interpreters.interpreter import Interpreter

NAME = manifest.MARKER


def write(place: Path, manager: str, key: str, interpreter: Interpreter) -> None:
    """Mark the environment at `place` as ready."""
    status = (place / "bin" / "python").stat()  # the interpreter, as the environment sees it
    facts = {
        "key": key,
        "manager": manager,
        "place": str(place),
        "interpreter": {
            "path": str(interpreter.executable),
            "version": interpreter.version,
            "size": status.st_size,
            "mtime_ns": status.st_mtime_ns,
        },
        "base": [_stamp(path) for path in _base_files(interpreter)],
    }
    temporary = place / f"{NAME}.new"
    with temporary.open("w", encoding="utf-8") as stream:
        json.dump(facts, stream)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(place / NAME)


def read(place: Path) -> Any:
    """Give the marker's content, whatever it is. Raises `OSError`, `ValueError` or `RecursionError`."""
    return json.loads((place / NAME).read_bytes())


def why_unfit(marker: Any, place: Path, key: str) -> str:
    """Say why a marker does not make the environment at `place` ready, or give an empty text."""
    try:
        interpreter = marker["interpreter"]
        if marker["key"] != key:
            return "its marker belongs to another environment"
        if marker["place"] != str(place):
            return f"it was moved here from {marker['place']}"
        how = _changed(place / "bin" / "python", interpreter["size"], interpreter["mtime_ns"])
        if how:
            if how == "is gone":
                return "its interpreter is gone"
            return f"its interpreter {interpreter['path']} {how}"
        for path, size, changed in marker["base"]:
            if how := _changed(Path(path), size, changed):
                return f"{path}, which its interpreter needs, {how}"
    except (KeyError, TypeError, ValueError):
        return "its marker is damaged"
    return ""


def _changed(path: Path, size: int, changed: int) -> str:
    try:
        status = path.stat()
    except OSError:
        return "is gone"
    same = status.st_size == size and manifest.same_time(status.st_mtime_ns, changed)
    if same:
        return ""
    return "has changed"


def _stamp(path: Path) -> tuple[str, int, int]:
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns


def _base_files(interpreter: Interpreter) -> Iterator[Path]:
    """Yield a file of its standard library and its shared library, where they are at their usual places."""
    library = interpreter.executable.parent.parent / "lib"
    landmark = library / f"python{interpreter.minor}" / "os.py"
    for path in (landmark, *sorted(library.glob(f"libpython{interpreter.minor}*.so.*"))):
        if path.is_file():
            yield path
