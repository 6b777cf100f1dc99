"""Bills of materials of installed distributions, such as those of bundled libraries (PEP 770).

They are in the `sboms` folder of the metadata, in any format.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from envkit.installed.distribution import Distribution

FOLDER = "sboms"
BYTES_KEPT = 10_000_000  # of a larger one only the name and the hash are kept


def of(distributions: Iterable[Distribution]) -> list[dict[str, Any]]:
    """Return each bill as a JSON object, sorted by distribution.

    `document` is the text of a bill in CycloneDX JSON, without insignificant spaces, None for other
    formats.
    """
    bills = []
    for distribution in sorted(distributions, key=lambda distribution: distribution.name):
        owner = {"distribution": distribution.name, "version": distribution.version}
        info = distribution.folder
        bills += [owner | _bill(info, path) for path in _files(info / FOLDER)]
    return bills


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from filter(Path.is_file, sorted(folder.rglob("*")))


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
