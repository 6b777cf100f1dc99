"""The native libraries that the process has loaded, as the system's map of its memory tells."""

from __future__ import annotations

import os
import re
import sys
from typing import Callable

MAP = "/proc/self/maps"
LEFT_OUT = re.compile(
    r"(ld-linux|ld-musl|libc|libm|libpthread|libdl|librt|libutil|libpython\d)[.\-]"
)


def libraries(is_standard_file: Callable[[str], bool]) -> list[str]:
    """Give their paths, without those of the standard library, the interpreter and the C library; none off Linux."""
    if not sys.platform.startswith("linux"):
        return []
    try:
        with open(MAP, "rb") as stream:
            content = stream.read()
    except OSError:  # not mounted
        return []
    paths = {
        line[line.index(b"/") :] for line in content.splitlines() if b".so" in line and b"/" in line
    }
    return sorted(
        path
        for path in map(os.fsdecode, paths)
        if ".so" in os.path.basename(path)
        and not path.endswith(" (deleted)")
        and not LEFT_OUT.match(os.path.basename(path))
        and not is_standard_file(path)
    )
