"""The marker of an environment that is ready: written last, onto the disk and then under its name.

It holds the key, the environment's own path (a virtual environment cannot move), and what lies
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
    # the interpreter, as the environment sees it
    status = (place / "bin" / "python").stat()
    content = {
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
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(place / NAME)


def read(place: Path) -> Any:
    """Return the marker's content, whatever it is.

    Raises `OSError`, `ValueError` or `RecursionError`.
    """
    return json.loads((place / NAME).read_bytes())


def why_invalid(content: Any, place: Path, key: str) -> str:
    """Say why a marker does not make the environment at `place` ready; empty when it does."""
    try:
        if content["key"] != key:
            return "its marker belongs to another environment"
        if content["place"] != str(place):
            return f"it was moved here from {content['place']}"
        return _interpreter_change(content, place)
    except (KeyError, TypeError, ValueError):
        return "its marker is damaged"


def _interpreter_change(content: Any, place: Path) -> str:
    interpreter = content["interpreter"]
    change = _change(place / "bin" / "python", interpreter["size"], interpreter["mtime_ns"])
    if change == "is gone":
        return "its interpreter is gone"
    if change:
        return f"its interpreter {interpreter['path']} {change}"
    for path, size, mtime_ns in content["base"]:
        change = _change(Path(path), size, mtime_ns)
        if change:
            return f"{path}, which its interpreter needs, {change}"
    return ""


def _change(path: Path, size: int, mtime_ns: int) -> str:
    try:
        status = path.stat()
    except OSError:
        return "is gone"
    if status.st_size == size and manifest.same_time(status.st_mtime_ns, mtime_ns):
        return ""
    return "has changed"


def _stamp(path: Path) -> tuple[str, int, int]:
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns


def _base_files(interpreter: Interpreter) -> Iterator[Path]:
    """Yield a file of its standard library and its shared library, if at their usual places."""
    library = interpreter.executable.parent.parent / "lib"
    landmark = library / f"python{interpreter.minor}" / "os.py"
    shared_libraries = sorted(library.glob(f"libpython{interpreter.minor}*.so.*"))
    for path in (landmark, *shared_libraries):
        if path.is_file():
            yield path
