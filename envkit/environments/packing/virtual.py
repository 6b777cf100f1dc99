"""The members of a virtual environment that runs wherever it lies, with the interpreter of `base` beside it.

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
_CACHES = {"__pycache__"}
_OF_THE_BUILD = {"uv_cache.json"}  # beside RECORD: when the wheel was cached


def members(environment: Path, minor: str) -> Iterator[Member]:
    """Yield the environment, without its interpreter. Raises `BuildFailed` for a link that leads out of it."""
    yield Member(name=CONFIGURATION, content=b"include-system-site-packages = false\n")
    program = f"python{minor}"
    yield Member(name=f"bin/{program}", link=f"../{BASE}/bin/{program}")
    yield from (Member(name=f"bin/{name}", link=program) for name in PROGRAMS)
    own = {CONFIGURATION, *(f"bin/{name}" for name in (*PROGRAMS, program))}
    found = {each.name: each for each in _installed(environment) if each.name not in own}
    changed = {name: _changed(each, environment) for name, each in found.items()}
    kept = {name: content for name, content in changed.items() if content is not DROPPED}
    for name in kept:
        if is_record(name):
            site_packages = posixpath.dirname(posixpath.dirname(name))
            kept[name] = records.fitted(found[name].data, site_packages, kept)
    for name, content in kept.items():
        member = found[name]
        yield (
            member
            if content is None
            else Member(name=name, content=content, executable=member.executable)
        )


DROPPED = b"\0dropped"  # in the place of the content of what is not packed


def _installed(environment: Path) -> Iterator[Member]:
    """Yield what lies in `lib` and the scripts of `bin`, without bytecode, sorted by name."""
    for top in ("bin", "etc", "include", "lib", "lib64", "share"):
        if (environment / top).is_symlink():
            yield link(environment / top, environment)
            continue
        for folder, folders, names in os.walk(environment / top):
            linked = [name for name in folders if Path(folder, name).is_symlink()]
            folders[:] = sorted(set(folders) - _CACHES - set(linked))
            for name in sorted([*names, *linked]):
                path = Path(folder, name)
                inner = path.relative_to(environment).as_posix()
                yield link(path, environment) if path.is_symlink() else of_file(path, inner)


def link(path: Path, environment: Path) -> Member:
    """Make the member of a symbolic link, relative. Raises `BuildFailed` for one that leads out of the environment."""
    target = Path(os.path.realpath(path))
    name = path.relative_to(environment).as_posix()
    if not target.is_relative_to(os.path.realpath(environment)):
        if path.parent == environment / "bin":  # of Python's own
            return Member(name=name, link=os.path.basename(target))  # noqa: PTH119 - a text
        raise BuildFailed(
            f"pack {environment}: {name} leads to {target}",
            "Only what lies inside it can be packed.",
        )
    return Member(name=name, link=os.path.relpath(target, Path(os.path.realpath(path.parent))))


def _changed(member: Member, environment: Path) -> bytes | None:
    """Give the new content of a file that knows where it lies; None when it stays as it is."""
    folder, name = posixpath.split(member.name)
    if member.link:
        return None
    if folder == "bin":
        # for shells, with paths
        if name.startswith(("activate", "deactivate", "Activate", "pydoc.bat")):
            return DROPPED
        return scripts.relocatable(
            member.data, tuple(os.fsencode(each) for each in homes(environment))
        )
    if is_of_the_build(member):
        return DROPPED
    return None


def homes(environment: Path) -> list[str]:
    """Give the paths by which files of an environment may name it."""
    return sorted({str(environment), os.path.realpath(environment)})


def is_record(name: str) -> bool:
    """Whether a member is the RECORD of a distribution."""
    folder, base = posixpath.split(name)
    return base == "RECORD" and folder.endswith(".dist-info")


def is_of_the_build(member: Member) -> bool:
    """Whether a file tells of the build, or of files of this machine, and of nothing else."""
    folder, name = posixpath.split(member.name)
    return folder.endswith(".dist-info") and (
        name in _OF_THE_BUILD or (name == "direct_url.json" and _is_local(member))
    )


def _is_local(member: Member) -> bool:
    """Whether a `direct_url.json` names a file of the machine that built."""
    try:
        told: Mapping[str, object] = json.loads(member.data)
        return str(told["url"]).startswith("file:")
    except (ValueError, KeyError, TypeError):
        return True
