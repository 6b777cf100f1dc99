"""The records of installed distributions (`RECORD`), fitted to what is packed of them."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import posixpath
from collections.abc import Mapping

from envkit.environments.packing.members import Member


def fitted(record: bytes, folder: str, packed: Mapping[str, Member]) -> bytes:
    """Return a RECORD with the rows of what is packed, sorted.

    folder: the site-packages, relative to the environment. packed: members by their paths from
    there on; rows of other files are dropped.
    """
    rows = []
    for row in csv.reader(io.StringIO(record.decode("utf-8"))):
        if len(row) != 3:
            continue
        path, digest, size = row
        member = packed.get(posixpath.normpath(posixpath.join(folder, path)))
        if member is None:
            continue
        content = member.changed
        if content is not None:
            digest, size = _digest(content), str(len(content))
        rows.append((path, digest, size))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    return text.getvalue().encode("utf-8")


def _digest(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return "sha256=" + digest.decode().rstrip("=")
