"""Compile Python files to bytecode that never looks at its source (PEP 552).

Started with one argument, a JSON file: a list of [source, target, the path for tracebacks]. Sources
that do not compile are skipped: packages ship templates, and tests for other versions of Python.
"""

from __future__ import annotations

import json
import os
import sys
from py_compile import PycInvalidationMode, PyCompileError
from py_compile import compile as compile_file


def main(request: str) -> None:
    """Compile what a file lists."""
    with open(request, encoding="utf-8") as file:
        listed: list[tuple[str, str, str]] = json.load(file)
    for source, target, shown in listed:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            compile_file(
                source,
                cfile=target,
                dfile=shown,
                doraise=True,
                invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
            )
        except (PyCompileError, ValueError, RecursionError):
            continue


if __name__ == "__main__":
    main(sys.argv[1])
