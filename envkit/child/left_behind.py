"""Files that a model's process left behind, read without trusting what lies there now.

The model can replace a file by a FIFO, a device, a link or something huge. Opening must not wait,
must not follow a link, and reading must not take more memory than the limit.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

JOURNAL_BYTES = 256 * 2**20
ANSWER_BYTES = 1024 * 2**20


class NotReadable(Exception):
    """What lies at the path is not a regular file within the limit."""


def read(path: Path, limit: int) -> bytes:
    """Return the content of a regular file of at most `limit` bytes.

    Raises `FileNotFoundError` when nothing is there, `NotReadable` for anything else that is not
    such a file.
    """
    try:
        # O_NONBLOCK: opening a FIFO that nobody writes to would wait forever
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise NotReadable(f"{path.name} was replaced: {error.strerror}") from error
    try:
        _check(os.fstat(descriptor), path.name, limit)
    except NotReadable:
        os.close(descriptor)
        raise
    with os.fdopen(descriptor, "rb") as file:
        # a process that still runs may make it longer after the check
        content = file.read(limit + 1)
    if len(content) > limit:
        raise NotReadable(f"{path.name} is larger than {limit} bytes")
    return content


def _check(status: os.stat_result, name: str, limit: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise NotReadable(f"{name} is not a regular file")
    if status.st_size > limit:
        raise NotReadable(f"{name} is larger than {limit} bytes")
