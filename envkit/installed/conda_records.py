"""Check the files of a conda environment against conda's records, `conda-meta/*.json`.

Sizes are compared. Of files into which conda wrote the prefix, only the existence is checked.
https://docs.conda.io/projects/conda/en/stable/dev-guide/deep-dives/install.html
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from envkit.errors import InvalidFile
from envkit.installed.conda_meta import FOLDER, CondaMeta, Record, entries_of

_METADATA = ".dist-info/METADATA"


def problems(environment: Path) -> Iterator[str]:
    """Yield a sentence for each faulty file of a conda package.

    Packages over which pip or uv installed another version are not checked: their files are gone
    for a reason.
    """
    meta = CondaMeta(environment)
    for path in meta.paths:
        try:
            entries = entries_of(meta.read(path))
        except InvalidFile:
            yield f"{FOLDER}/{path.name} is damaged"
            continue
        sizes = {entry["_path"]: _size(entry) for entry in entries}
        if not _is_replaced(environment, sizes):
            for file, size in sizes.items():
                yield from _problem(environment, file, size)


def distributions(environment: Path) -> frozenset[str]:
    """Return the names of the `.dist-info` folders that conda installed.

    Their RECORD may describe the files on the machine that built the package.
    """
    names = set()
    for record in CondaMeta(environment).sound():
        metadata = [file for file in record["files"] if file.endswith(_METADATA)]
        names |= {PurePosixPath(file).parent.name for file in metadata}
    return frozenset(names)


def _size(entry: Record) -> int | None:
    """The size that a file must have; None for links, and if conda wrote the prefix into it."""
    is_link = entry.get("path_type", "hardlink") != "hardlink"
    if is_link or entry.get("prefix_placeholder"):
        return None
    size = entry.get("size_in_bytes")
    return size if isinstance(size, int) else None


def _is_replaced(environment: Path, files: Iterable[str]) -> bool:
    metadata = [file for file in files if file.endswith(_METADATA)]
    return any(not (environment / file).exists() for file in metadata)


def _problem(
    environment: Path,
    path: str,
    size: int | None,
) -> Iterator[str]:
    if path.endswith(".pyc"):
        return
    try:
        # not `stat`: a link may lead to a file of another package
        actual = os.lstat(environment / path).st_size
    except OSError:
        yield f"{path} is missing"
        return
    if size is not None and actual != size:
        yield f"{path} has {actual} bytes, its record says {size}"
