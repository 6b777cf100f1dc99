"""The interpreter of an environment, with its standard library, as a tree that runs wherever it lies.

Python finds its standard library from where its program lies. What ties an interpreter to its place
is where it looks for its shared library (`RUNPATH`), and the paths in `_sysconfigdata`; both are
made relative.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from envkit.child import variables as variables_of
from envkit.environments.packing import elf
from envkit.environments.packing.members import Member, of_file
from envkit.errors import BuildFailed, NotAnInterpreter
from envkit.interpreters.describe import describe

_LEFT_OUT = {
    "__pycache__",
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "idlelib",
    "turtledemo",
    "idle_test",
}
_SYSTEM = {"/usr", "/"}  # prefixes that stand in too many texts to be told from others
_RELATIVE = """
import sys as _sys
build_time_vars = {
    key: value.replace("@BASE@", _sys.base_prefix) if isinstance(value, str) else value
    for key, value in build_time_vars.items()
}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """Where an interpreter's parts are: its prefix, program, folders of the standard library, folder of libraries."""

    prefix: Path
    executable: Path
    libraries: tuple[Path, ...]
    shared: Path


def of(executable: Path) -> Base:
    """Start an interpreter to say where its parts are. Raises `BuildFailed`."""
    variables = variables_of.for_installer(os.environ)
    try:
        facts = describe(executable, environment=variables, isolated=True)
    except NotAnInterpreter as error:
        raise BuildFailed(f"locate the standard library of {executable}", str(error)) from error
    return Base(
        prefix=Path(facts.base_prefix),
        executable=facts.interpreter.executable,
        libraries=tuple(map(Path, facts.library)),
        shared=Path(facts.library_folder or facts.base_prefix),
    )


def members(base: Base, minor: str, top: str) -> Iterator[Member]:
    """Yield the interpreter under the folder `top`: `bin/pythonX.Y`, its standard library and shared libraries.

    Left out are tests, IDLE, installed packages, headers, bytecode and static libraries. Raises
    `BuildFailed` when it cannot be made to find its shared library elsewhere.
    """
    program = _relocated(base.executable, f"{top}/bin/python{minor}", base, top)
    needed = set(elf.read(program.data).needed)
    yield program
    for library in base.libraries:
        for path in _files(library):
            inner = path.relative_to(library.parent.parent).as_posix()
            member = _relocated(path, f"{top}/{inner}", base, top)
            if path.suffix == ".so":
                needed |= set(elf.read(member.data).needed)
            yield member
    yield from _shared(needed, base, top)


def _shared(needed: set[str], base: Base, top: str) -> Iterator[Member]:
    """Yield the libraries that come with the interpreter, in its own folder, and what these need of it."""
    if str(base.prefix) in _SYSTEM:
        folders = [base.shared]
    else:
        folders = [base.shared, base.prefix / "lib"]
    seen: set[str] = set()
    while rest := sorted(needed - seen):
        seen |= set(rest)
        for name in rest:
            if str(base.prefix) in _SYSTEM and not name.startswith("libpython"):
                continue
            path = next((folder / name for folder in folders if (folder / name).is_file()), None)
            if path is not None:
                member = _relocated(path, f"{top}/lib/{name}", base, top)
                needed |= set(elf.read(member.data).needed)
                yield member


def relative_variables(text: str, prefix: str) -> str:
    """Give a `_sysconfigdata` module whose paths in `prefix` follow the interpreter that imports it."""
    return text.replace(prefix, "@BASE@") + _RELATIVE


def _files(library: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(library, followlinks=False):
        folders[:] = sorted(
            name for name in folders if name not in _LEFT_OUT and not name.startswith("config-")
        )
        for name in sorted(names):
            path = Path(folder, name)
            if not name.endswith((".a", ".pyc")) and path.is_file():
                yield path


def _relocated(path: Path, name: str, base: Base, top: str) -> Member:
    member = of_file(path, name)
    if (
        path.name.startswith("_sysconfigdata")
        and path.suffix == ".py"
        and str(base.prefix) not in _SYSTEM
    ):
        text = relative_variables(path.read_text(encoding="utf-8"), str(base.prefix))
        return Member(name=name, content=text.encode())
    if not elf.is_elf(path):
        return member
    content = path.read_bytes()
    dynamic = elf.read(content)
    if not any(part.startswith("/") for each in dynamic.paths.values() for part in each.split(":")):
        return member
    libraries = os.path.relpath(f"{top}/lib", os.path.dirname(name))  # noqa: PTH120 - names in the archive
    for target in (f"$ORIGIN/{libraries}", "$ORIGIN"):
        changed = elf.with_path(content, dynamic, target)
        if changed is not None:
            return Member(name=name, content=changed, executable=member.executable)
    raise BuildFailed(
        f"pack {path}: it looks for libraries in {' and '.join(dynamic.paths.values())}, which is too short to change",
        "Name another interpreter with `--python`; those that uv installs can be moved.",
    )
