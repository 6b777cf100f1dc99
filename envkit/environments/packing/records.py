"""The records of installed distributions (`RECORD`), fitted to what of them is packed."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import posixpath
from collections.abc import Mapping


def fitted(record: bytes, folder: str, packed: Mapping[str, bytes | None]) -> bytes:
    """Give a RECORD with the rows of what is packed, sorted.

    folder: the site-packages from the environment's folder on. packed: by path from there on, the
    new content of files that were changed, None for those left as they are; rows of other files are
    dropped.
    """
    rows = [row for row in csv.reader(io.StringIO(record.decode("utf-8"))) if len(row) == 3]
    kept = []
    for path, digest, size in rows:
        place = posixpath.normpath(posixpath.join(folder, path))
        if place in packed:
            content = packed[place]
            kept.append(
                (path, digest, size)
                if content is None
                else (path, _digest(content), str(len(content)))
            )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(kept))
    return text.getvalue().encode("utf-8")


def _digest(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip(
        "="
    )
