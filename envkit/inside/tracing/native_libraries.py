"""The native libraries that the process has loaded, from the system's map of its memory."""

from __future__ import annotations

import os
import re
import sys
from typing import Callable

MAP = "/proc/self/maps"
LEFT_OUT = re.compile(  # the loader and the C library, and the interpreter
    r"(ld-linux|ld-musl|libc|libm|libpthread|libdl|librt|libutil|libpython\d)[.\-]"
)


def loaded_libraries(is_standard_file: Callable[[str], bool]) -> list[str]:
    """List the paths of the libraries, without those of Python itself and the C library.

    Empty off Linux.
    """
    if not sys.platform.startswith("linux"):
        return []
    try:
        with open(MAP, "rb") as stream:
            lines = stream.read().splitlines()
    except OSError:  # not mounted
        return []
    paths = set()
    for line in lines:
        start = line.find(b"/")
        if start >= 0 and b".so" in line:
            paths.add(os.fsdecode(line[start:]))
    return sorted(path for path in paths if _is_library(path) and not is_standard_file(path))


def _is_library(path: str) -> bool:
    """Whether a mapped file is a library that is not left out."""
    name = os.path.basename(path)
    return ".so" in name and not path.endswith(" (deleted)") and not LEFT_OUT.match(name)
