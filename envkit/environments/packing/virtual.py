"""The members of a virtual environment that runs wherever it lies, with its interpreter in `base/`.

`bin/python` is a relative link into `base/`. A `pyvenv.cfg` without `home` lets Python find its
standard library from the link's target and take the environment's folder as `sys.prefix` (CPython's
`Modules/getpath` and `Lib/site.py`), so that no path is written anywhere.
"""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path

from envkit.environments.packing import records, scripts
from envkit.environments.packing.members import Member, of_file
from envkit.errors import BuildFailed

BASE = "base"
CONFIGURATION = "pyvenv.cfg"
PROGRAMS = ("python", "python3")
_TOPS = ("bin", "etc", "include", "lib", "lib64", "share")
_CACHES = {"__pycache__"}
_OF_THE_BUILD = {"uv_cache.json"}  # in a `.dist-info`: when the wheel was cached
_FOR_SHELLS = ("activate", "deactivate", "Activate", "pydoc.bat")  # they hold paths


def members(environment: Path, minor: str) -> Iterator[Member]:
    """Yield the environment without its interpreter.

    Raises `BuildFailed` for a link that leads out of it.
    """
    yield Member(name=CONFIGURATION, content=b"include-system-site-packages = false\n")
    program = f"python{minor}"
    yield Member(name=f"bin/{program}", link=f"../{BASE}/bin/{program}")
    for name in PROGRAMS:
        yield Member(name=f"bin/{name}", link=program)
    replaced = {CONFIGURATION, *(f"bin/{name}" for name in (*PROGRAMS, program))}
    packed: dict[str, Member] = {}
    for member in _installed(environment):
        if member.name in replaced:
            continue
        relocatable = _relocatable(member, environment)
        if relocatable is not None:
            packed[member.name] = relocatable
    for name, member in packed.items():
        if is_record(name):
            site_packages = posixpath.dirname(posixpath.dirname(name))
            packed[name] = member.with_content(records.fitted(member.data, site_packages, packed))
    yield from packed.values()


def _installed(environment: Path) -> Iterator[Member]:
    """Yield what lies in `lib` and the scripts of `bin`, without bytecode, sorted by name."""
    for top in _TOPS:
        if (environment / top).is_symlink():
            yield link(environment / top, environment)
            continue
        for path in walk(environment / top, _CACHES):
            if path.is_symlink():
                yield link(path, environment)
            else:
                yield of_file(path, path.relative_to(environment).as_posix())


def walk(top: Path, without: set[str]) -> Iterator[Path]:
    """Yield files and symbolic links below a folder, sorted by name within each folder."""
    for folder, folders, names in os.walk(top):
        linked = [name for name in folders if Path(folder, name).is_symlink()]
        folders[:] = sorted(set(folders) - without - set(linked))
        for name in sorted([*names, *linked]):
            yield Path(folder, name)


def link(path: Path, environment: Path) -> Member:
    """Make the member of a symbolic link, relative.

    Raises `BuildFailed` for one that leads out of the environment.
    """
    name = path.relative_to(environment).as_posix()
    target = Path(os.path.realpath(path))
    if target.is_relative_to(os.path.realpath(environment)):
        return Member(name=name, link=os.path.relpath(target, os.path.realpath(path.parent)))
    if path.parent == environment / "bin":
        # one of Python's own
        return Member(name=name, link=target.name)
    raise BuildFailed(
        f"pack {environment}: {name} leads to {target}",
        "Only files inside the environment can be packed.",
    )


def _relocatable(member: Member, environment: Path) -> Member | None:
    """Return a member without the place where it lies; None when it is not packed."""
    if member.link:
        return member
    folder, name = posixpath.split(member.name)
    if folder == "bin":
        if name.startswith(_FOR_SHELLS):
            return None
        places = tuple(map(os.fsencode, homes(environment)))
        content = scripts.relocatable(member.data, places)
        if content is not None:
            return member.with_content(content)
        return member
    if is_of_the_build(member):
        return None
    return member


def homes(environment: Path) -> list[str]:
    """Return the paths by which files of an environment may name it."""
    return sorted({str(environment), os.path.realpath(environment)})


def is_record(name: str) -> bool:
    """Whether a member is the RECORD of a distribution."""
    folder, base = posixpath.split(name)
    return base == "RECORD" and folder.endswith(".dist-info")


def is_of_the_build(member: Member) -> bool:
    """Whether a file describes only the build, or local files."""
    folder, name = posixpath.split(member.name)
    if not folder.endswith(".dist-info"):
        return False
    return name in _OF_THE_BUILD or (name == "direct_url.json" and _is_local(member))


def _is_local(member: Member) -> bool:
    """Whether a `direct_url.json` names a file of the machine that built."""
    try:
        origin: Mapping[str, object] = json.loads(member.data)
        return str(origin["url"]).startswith("file:")
    except (ValueError, KeyError, TypeError):
        return True
