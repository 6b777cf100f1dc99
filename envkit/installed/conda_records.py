"""Check a conda environment's files against conda's records, `conda-meta/*.json`, one for each package.

Sizes are compared; of files into which conda wrote the prefix only that they are there.
https://docs.conda.io/projects/conda/en/stable/dev-guide/deep-dives/install.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = "conda-meta"


def problems(environment: Path) -> Iterator[str]:
    """Yield what is wrong with the files of conda packages, a sentence each; nothing where conda installed nothing.

    A package that pip or uv has put another version over is left out: what it had is gone with
    reason.
    """
    for path in sorted((environment / FOLDER).glob("*.json")):
        try:
            record = json.loads(path.read_bytes())
            files = [(each["_path"], _size(each)) for each in record["paths_data"]["paths"]]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            yield f"{FOLDER}/{path.name} is damaged"
            continue
        if _is_replaced(environment, [each for each, _ in files]):
            continue
        for file, size in files:
            yield from _file(environment, file, size)


def distributions(environment: Path) -> frozenset[str]:
    """Give the names of the `.dist-info` folders that conda installed, whose RECORD may tell of another machine."""
    found = set()
    for path in (environment / FOLDER).glob("*.json"):
        try:
            files = json.loads(path.read_bytes())["files"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        found |= {Path(each).parent.name for each in files if each.endswith(".dist-info/METADATA")}
    return frozenset(found)


def _size(entry: Mapping[str, Any]) -> int | None:
    """The size that a file must have; None for links, and where conda wrote the prefix into it."""
    if entry.get("path_type", "hardlink") != "hardlink" or entry.get("prefix_placeholder"):
        return None
    size = entry.get("size_in_bytes")
    if isinstance(size, int):
        return size
    return None


def _is_replaced(environment: Path, files: list[str]) -> bool:
    infos = [each for each in files if each.endswith(".dist-info/METADATA")]
    return bool(infos) and not all((environment / each).exists() for each in infos)


def _file(environment: Path, path: str, size: int | None) -> Iterator[str]:
    try:
        # a link may lead to what another package brings
        found = os.lstat(environment / path).st_size
    except OSError:
        if not path.endswith(".pyc"):
            yield f"{path} is missing"
        return
    if size is not None and found != size and not path.endswith(".pyc"):
        yield f"{path} has {found} bytes, its record says {size}"
