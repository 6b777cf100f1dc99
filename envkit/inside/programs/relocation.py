"""Write the place of a conda environment into its files, as conda does when it installs them.

    python -I relocation.py        the environment whose `conda-meta` contains this file

Files of conda packages contain a placeholder where the path of the environment belongs, and their
records say so (`prefix_placeholder` and `file_mode` in `conda-meta/*.json`). A text file gets the
path; in a binary file each string gets it and is filled up with zero bytes to its old length, so
that nothing moves.
https://docs.conda.io/projects/conda/en/stable/dev-guide/deep-dives/install.html

This file is part of archives, too, and runs on their Python: standard library only, Python 3.8.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any


class TooLong(ValueError):
    """The path is longer than binary files have room for."""


def replaced(
    content: bytes,
    old: bytes,
    new: bytes,
    mode: str,
) -> bytes:
    """Replace the path `old` by `new` in a file's content; mode: `text` or `binary`.

    Raises `TooLong`.
    """
    if mode != "binary":
        return content.replace(old, new)

    def padded(string: re.Match[bytes]) -> bytes:
        text = string.group()
        surplus = (len(old) - len(new)) * text.count(old)
        if surplus < 0:
            raise TooLong(f"a path of at most {len(old)} bytes fits; this one has {len(new)}")
        return text.replace(old, new) + b"\0" * surplus

    return re.sub(re.escape(old) + b"[^\0]*\0", padded, content)


def relocate(folder: Path, prefix: Path) -> None:
    """Write the path `prefix` into the files of the environment in `folder`.

    Its records are updated. What was done before is not done again. Raises `TooLong`, `OSError`, or
    `ValueError` for damaged records.
    """
    for path in sorted((folder / "conda-meta").glob("*.json")):
        record = json.loads(path.read_bytes())
        has_changed = False
        for entry in record["paths_data"]["paths"]:
            if entry.get("prefix_placeholder") and _relocate_file(folder, entry, prefix):
                has_changed = True
        if has_changed:
            text = json.dumps(record, indent=2, sort_keys=True) + "\n"
            _write(path, text.encode())


def _relocate_file(folder: Path, entry: dict[str, Any], prefix: Path) -> bool:
    """Change a file if it has the placeholder, and note its digest in the record's entry."""
    path = folder / entry["_path"]
    placeholder = entry["prefix_placeholder"].encode()
    try:
        content = path.read_bytes()
    except FileNotFoundError:  # replaced by another package
        return False
    if placeholder not in content:
        return False
    content = replaced(
        content,
        placeholder,
        os.fsencode(prefix),
        entry.get("file_mode", "text"),
    )
    _write(path, content)
    entry["sha256_in_prefix"] = hashlib.sha256(content).hexdigest()
    return True


def _write(path: Path, content: bytes) -> None:
    """Write a new file and rename it, so that programs that run keep the old one."""
    mode = path.stat().st_mode & 0o777
    temporary = path.with_name(path.name + ".relocated")
    temporary.write_bytes(content)
    temporary.chmod(mode)
    temporary.replace(path)


def main() -> tuple[int, str]:
    """Relocate the environment that contains this file; give the exit status and the problem."""
    folder = Path(__file__).resolve().parent.parent
    try:
        relocate(folder, folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return (
            1,
            f"The path {folder} cannot be written into the environment: {error}",
        )
    return 0, ""


if __name__ == "__main__":
    status, problem = main()
    if problem:
        print(problem, file=sys.stderr)
    sys.exit(status)
