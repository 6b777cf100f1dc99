"""What the server needs in an image: envkit's runtime and the libraries of HTTP.

No installer is among it, since nothing is built there: no uv, pip-tools or virtualenv. All of it is
Python alone, so that one server runs on each platform and version of Python.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import envkit
from envkit.environments.packing.members import Member
from envkit.errors import ToolNotFound

MAIN = "__main__.py"
HEALTHCHECK = "envkit/inside/programs/healthcheck.py"
OLDEST_PYTHON = (3, 11)
_OWN_DISTRIBUTION = "envkit"
_LIBRARIES = (
    "click",
    "packaging",
    "platformdirs",
    "prometheus-client",
    "pyyaml",
    "starlette",
    "uvicorn",
)
_LEFT_OUT = (
    "analysis",
    "capturing",
    "exports",
    "flavors",
    "images",
    "pyfunc",
    "spark",
    "validating",
)
_COMPILED = re.compile(r".*\.(so|pyd|pyx|pxd|c|h)")
_START = b"""\
\"\"\"Starts envkit from this folder: `python -I -S FOLDER serve`.\"\"\"

import signal
import sys

# process 1 of a container ignores signals that nobody handles
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

from envkit.__main__ import main

main()
"""


def members() -> Iterator[Member]:
    """Yield the server's files, sorted by name.

    Raises `ToolNotFound` when the extra `serve` is not installed.
    """
    files = {MAIN: Member(name=MAIN, content=_START)}
    for member in (*_own_package(), *_own_metadata()):
        files[member.name] = member
    for name in sorted(_with_dependencies(_LIBRARIES)):
        for member in _library(_distribution(name)):
            files[member.name] = member
    for name in sorted(files):
        yield files[name]


def _own_package() -> Iterator[Member]:
    package = Path(str(envkit.__file__)).parent
    for folder, folders, names in os.walk(package):
        inner = Path(folder).relative_to(package.parent)
        is_top = len(inner.parts) == 1
        folders[:] = [
            name for name in folders if name != "__pycache__" and not (is_top and name in _LEFT_OUT)
        ]
        for name in names:
            if not name.endswith(".pyc"):
                yield Member(name=(inner / name).as_posix(), content=Path(folder, name))


def _own_metadata() -> Iterator[Member]:
    """Yield what says which version envkit is, without what differs between two checkouts."""
    version = importlib.metadata.version(_OWN_DISTRIBUTION)
    folder = f"{_OWN_DISTRIBUTION.replace('-', '_')}-{version}.dist-info"
    text = f"Metadata-Version: 2.1\nName: {_OWN_DISTRIBUTION}\nVersion: {version}\n"
    yield Member(name=f"{folder}/METADATA", content=text.encode())


def _library(distribution: Distribution) -> Iterator[Member]:
    """Yield the files of a distribution that Python reads; extension modules have a substitute."""
    for file in distribution.files or ():
        path = Path(str(file.locate()))
        name = file.as_posix()
        if name.startswith("..") or "__pycache__" in file.parts or _COMPILED.fullmatch(name):
            continue
        is_metadata = file.parts[0].endswith(".dist-info")
        if is_metadata and file.name != "METADATA" and "licenses" not in file.parts:
            continue
        if path.is_file():
            yield Member(name=name, content=path)


def _with_dependencies(names: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        waiting += _dependencies(name)
    return found


def _dependencies(name: str) -> Iterator[str]:
    for line in _distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


@cache
def _distribution(name: str) -> Distribution:
    try:
        return importlib.metadata.distribution(name)
    except PackageNotFoundError:
        raise ToolNotFound(
            name, "An image with a server needs it: install envkit's extra `serve`."
        ) from None
