"""Which Debian packages own files of the system, by `dpkg`, where there is one."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache

from envkit.child import process

SYSTEM = ("/usr/", "/lib", "/bin/", "/sbin/", "/opt/")
NOT_OF_PACKAGES = "/usr/local/"
PATTERN = re.compile(r"[*?\[\\]")  # what dpkg would expand
SECONDS = 60.0


@cache
def owners(paths: frozenset[str]) -> Mapping[str, str]:
    """Give the package (`libgomp1`, without its architecture) of each path that has one; asks once for all."""
    spelled = {name: path for path in sorted(paths) for name in _spellings(path)}
    if not spelled:
        return {}
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        ended = process.run(
            ["dpkg", "-S", *spelled], environment=environment, timeout=SECONDS, keep_output=True
        )
    except OSError:  # no dpkg here
        return {}
    found: dict[str, str] = {}
    for line in ended.output.splitlines():
        package, separator, name = line.partition(": ")
        if separator and name in spelled and " " not in package:
            found[spelled[name]] = package.partition(":")[0]
    return found


def _spellings(path: str) -> set[str]:
    """The names under which a package may list the path: links resolved, and `/lib/…` for what is `/usr/lib/…` now."""
    names = {path, os.path.realpath(path)}
    names |= {
        name.removeprefix("/usr")
        for name in names
        if name.startswith(("/usr/lib", "/usr/bin/", "/usr/sbin/"))
    }
    return {
        name
        for name in names
        if name.startswith(SYSTEM)
        and not name.startswith(NOT_OF_PACKAGES)
        and not PATTERN.search(name)
    }
