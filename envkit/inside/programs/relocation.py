"""Write the place of a conda environment into its files, as conda does when it installs them.

    python -I relocation.py        the environment in whose `conda-meta` this file lies

Packages of conda hold another path where the environment's will stand, and their records say where
(`prefix_placeholder` and `file_mode` in `conda-meta/*.json`). In a text it is replaced; in a binary file each text up
to its end, filled up with zero bytes, so that nothing moves.
https://docs.conda.io/projects/conda/en/stable/dev-guide/deep-dives/install.html

This file is part of the archives too, and runs on their Python: standard library alone, Python 3.8.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class TooLong(ValueError):
    """The place's path is longer than what binary files have room for."""


def replaced(content: bytes, old: bytes, new: bytes, mode: str) -> bytes:
    """Give a file's content with the path `new` in the place of `old`; mode: `text` or `binary`.

    Raises `TooLong`.
    """
    if mode != "binary":
        return content.replace(old, new)

    def padded(found: re.Match[bytes]) -> bytes:
        text = found.group()
        missing = (len(old) - len(new)) * text.count(old)
        if missing < 0:
            raise TooLong(f"a path of at most {len(old)} bytes fits here; this one has {len(new)}")
        return text.replace(old, new) + b"\0" * missing

    return re.sub(re.escape(old) + b"[^\0]*\0", padded, content)


def relocate(folder: Path, prefix: Path) -> None:
    """Write `prefix` into the files of the environment that lies in `folder`, and into its records what they are then.

    What was done before is not done again. Raises `TooLong`, `OSError`, or `ValueError` for damaged
    records.
    """
    for path in sorted((folder / "conda-meta").glob("*.json")):
        record = json.loads(path.read_bytes())
        changed = [_relocated(folder, each, prefix) for each in _with_placeholder(record)]
        if any(changed):
            _write(path, (json.dumps(record, indent=2, sort_keys=True) + "\n").encode())


def _with_placeholder(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in record["paths_data"]["paths"]:
        if each.get("prefix_placeholder"):
            yield each


def _relocated(folder: Path, entry: dict[str, Any], prefix: Path) -> bool:
    """Change a file, if it is to be changed, and note its digest in the entry of the record."""
    path = folder / entry["_path"]
    old, new = entry["prefix_placeholder"].encode(), os.fsencode(prefix)
    try:
        content = path.read_bytes()
    except FileNotFoundError:  # replaced by another package
        return False
    if old not in content:
        return False
    content = replaced(content, old, new, entry.get("file_mode", "text"))
    _write(path, content)
    entry["sha256_in_prefix"] = hashlib.sha256(content).hexdigest()
    return True


def _write(path: Path, content: bytes) -> None:
    """Write beside and rename: programs that run keep what they had, and no end finds half a file."""
    mode = path.stat().st_mode & 0o777
    temporary = path.with_name(path.name + ".relocated")
    temporary.write_bytes(content)
    temporary.chmod(mode)
    temporary.replace(path)


def main() -> tuple[int, str]:
    """Write the place where this file lies into the environment; gives the status and what there is to say."""
    folder = Path(__file__).resolve().parent.parent
    try:
        relocate(folder, folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return 1, f"{folder} cannot be written into the files: {error}"
    return 0, ""


if __name__ == "__main__":
    status, problem = main()
    if problem:
        print(problem, file=sys.stderr)
    sys.exit(status)
