"""Bills of materials that installed distributions bring of what is inside them: compiled crates, bundled libraries.

PEP 770: they lie in the `sboms` folder of the metadata, in whatever format.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from envkit.installed.distribution import Distribution

FOLDER = "sboms"
BYTES_KEPT = 10_000_000  # a larger one is named, with its hash


def of(distributions: Iterable[Distribution]) -> list[dict[str, Any]]:
    """Give each bill as JSON values, sorted by distribution.

    document: the text of CycloneDX in JSON, without insignificant spaces; None for all else.
    """
    return [
        {"distribution": each.name, "version": each.version, **_bill(each.folder, path)}
        for each in sorted(distributions, key=lambda each: each.name)
        for path in _files(each.folder / FOLDER)
    ]


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _bill(info: Path, path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "path": f"{info.name}/{path.relative_to(info).as_posix()}",
        "sha256": hashlib.sha256(content).hexdigest(),
        "document": _cyclonedx(content) if len(content) <= BYTES_KEPT else None,
    }


def _cyclonedx(content: bytes) -> str | None:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("bomFormat") != "CycloneDX":
        return None
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
