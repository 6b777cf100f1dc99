"""Digests of large local files, remembered: a model's wheels of several GB are read once.

A file is identified by its path, inode, size and time of change. One that changed just now is not
remembered, since it could change again within the resolution of that time. The memory may be lost,
damaged or read-only without harm.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from envkit.environments import local_files
from envkit.models import store_folder

_LARGE = 1_000_000  # bytes; below, reading is quicker than remembering
_SETTLED_SECONDS = 2.0


class Digests:
    """Computes digests as `local_files.digest` does; `memory` is the file that remembers them."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known: dict[str, Any] | None = None

    def of(self, path: Path) -> str:
        """Return the SHA-256 of a file, or of a folder's file names and contents.

        Raises `OSError`.
        """
        return local_files.digest(path, self._of_file)

    def _of_file(self, path: Path) -> str:
        status = path.stat()
        if status.st_size < _LARGE:
            return local_files.file_digest(path)
        place = os.path.realpath(path)
        stamp = [status.st_ino, status.st_size, status.st_mtime_ns]
        if self._known is None:
            self._known = _load(self._memory)
        match self._known.get(place):
            case [known, str(digest)] if known == stamp:
                return digest
        digest = local_files.file_digest(path)
        if time.time() - status.st_mtime > _SETTLED_SECONDS:
            self._remember(place, [stamp, digest])
        return digest

    def _remember(self, place: str, entry: list[Any]) -> None:
        # 3 ms, only where a file is new
        import tempfile

        others = _load(self._memory)
        existing = {path: digest for path, digest in others.items() if Path(path).is_file()}
        self._known = {**existing, place: entry}
        with suppress(OSError):
            store_folder.create(self._memory.parent)
            handle, temporary = tempfile.mkstemp(dir=self._memory.parent, prefix=".digests-")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(self._known, stream, indent=1)
            Path(temporary).replace(self._memory)


def _load(memory: Path) -> dict[str, Any]:
    try:
        content = json.loads(memory.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if isinstance(content, dict):
        return content
    return {}
