"""Compile Python files to bytecode where Python looks for it.

Started with one argument, a JSON file: a list of paths. Files that do not compile, or whose
bytecode cannot be written, are skipped.
"""

from __future__ import annotations

import json
import sys
from py_compile import PycInvalidationMode, PyCompileError
from py_compile import compile as compile_file


def main(request: str) -> None:
    """Compile what a file lists."""
    with open(request, encoding="utf-8") as file:
        sources: list[str] = json.load(file)
    for source in sources:
        try:
            compile_file(source, doraise=True, invalidation_mode=PycInvalidationMode.TIMESTAMP)
        except (OSError, PyCompileError, ValueError, RecursionError):
            continue


if __name__ == "__main__":
    main(sys.argv[1])
