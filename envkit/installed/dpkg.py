"""Which Debian packages files belong to, as `dpkg` says where there is one."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache

from envkit.child import process

SYSTEM = ("/usr/", "/lib", "/bin/", "/sbin/", "/opt/")
MERGED = ("/usr/lib", "/usr/bin/", "/usr/sbin/")
"""Folders that were below `/` before Debian merged them into `/usr`."""

NOT_OF_PACKAGES = "/usr/local/"
PATTERN = re.compile(r"[*?\[\\]")  # what dpkg would expand
SECONDS = 60.0


@cache
def owners(paths: frozenset[str]) -> Mapping[str, str]:
    """Return the package (`libgomp1`) of each path that has one. dpkg is started once for all."""
    spellings: dict[str, str] = {}
    for path in sorted(paths):
        spellings |= dict.fromkeys(_spellings(path), path)
    if not spellings:
        return {}
    environment = {**os.environ, "LC_ALL": "C"}
    command = ["dpkg", "-S", *spellings]
    try:
        ended = process.run(command, environment=environment, timeout=SECONDS, keep_output=True)
    except OSError:  # there is no dpkg
        return {}
    packages: dict[str, str] = {}
    for line in ended.output.splitlines():
        # `libgomp1:amd64: /usr/lib/x86_64-linux-gnu/libgomp.so.1`
        package, separator, name = line.partition(": ")
        if separator and name in spellings and " " not in package:
            packages[spellings[name]] = package.partition(":")[0]
    return packages


def _spellings(path: str) -> set[str]:
    """The names that a package may list for a path: with links resolved, and before the merge."""
    names = {path, os.path.realpath(path)}
    names |= {name.removeprefix("/usr") for name in names if name.startswith(MERGED)}
    return {name for name in names if _may_belong_to_package(name)}


def _may_belong_to_package(path: str) -> bool:
    if path.startswith(NOT_OF_PACKAGES) or PATTERN.search(path):
        return False
    return path.startswith(SYSTEM)
