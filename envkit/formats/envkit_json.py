"""`envkit.json`: the evidence of a capture. Its content is decided where it is made.

JSON has no infinite numbers and no NaN: they become the texts `NaN`, `Infinity` and `-Infinity`, so
that every JSON reader can read the file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envkit.errors import InvalidFile
from envkit.formats.text import read_text

FILE_NAME = "envkit.json"
SCHEMA_VERSION = 1
# the modules of a large model with their importers
MAX_BYTES = 256 * 1024 * 1024


def dumps(evidence: Mapping[str, Any]) -> str:
    """Give the text of the file: keys sorted, lists as they are; equal content gives equal bytes.

    `schema_version` is added. Raises `TypeError` for values that JSON does not have.
    """
    content = _plain({"schema_version": SCHEMA_VERSION, **evidence})
    return json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read(path: Path) -> dict[str, Any]:
    """Read the file.

    Raises `InvalidFile` when it is not evidence, or of a later version of envkit.
    """
    from envkit.formats.document import Document

    document = Document.parse(read_text(path, max_bytes=MAX_BYTES), path)
    version = document.content.get("schema_version")
    if isinstance(version, bool) or not isinstance(version, int):
        document.refuse("schema_version", "a number", version)
    if version > SCHEMA_VERSION:
        raise InvalidFile(
            path,
            "schema_version",
            f"{version} is newer than this envkit, which knows {SCHEMA_VERSION}",
            "Update envkit, or capture the model again.",
        )
    return dict(document.content)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return "NaN"
        if value > 0:
            return "Infinity"
        return "-Infinity"
    if isinstance(value, str):
        # UTF-8 has no lone surrogates
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return value
