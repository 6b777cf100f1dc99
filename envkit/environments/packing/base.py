"""The interpreter of an environment, with its standard library, made to run wherever it lies.

Python finds its standard library from where its program lies. What ties an interpreter to its place
is where it looks for its shared library (`RUNPATH`), and the paths in `_sysconfigdata`; both are
made relative.
"""

from __future__ import annotations

import os
import posixpath
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
_SYSTEM = {"/usr", "/"}  # prefixes that many unrelated paths begin with
_RELATIVE = """
import sys as _sys
build_time_vars = {
    key: value.replace("@BASE@", _sys.base_prefix) if isinstance(value, str) else value
    for key, value in build_time_vars.items()
}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """Where an interpreter's parts are.

    prefix: the folder above them. executable: the program. libraries: the folders of the standard
    library. shared: the folder of shared libraries.
    """

    prefix: Path
    executable: Path
    libraries: tuple[Path, ...]
    shared: Path

    @property
    def is_of_system(self) -> bool:
        """Whether it shares its prefix with other programs, so that paths in it are not its own."""
        return str(self.prefix) in _SYSTEM


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
    """Yield the interpreter under the folder `top`: `bin/pythonX.Y`, standard and shared libraries.

    Left out are tests, IDLE, installed packages, headers, bytecode and static libraries. Raises
    `BuildFailed` when it cannot be made to find its shared library elsewhere.
    """
    program = _relocated(base.executable, f"{top}/bin/python{minor}", base, top)
    needed = set(elf.read(program.data).needed)
    yield program
    for library in base.libraries:
        for path in _files(library):
            name = path.relative_to(library.parent.parent).as_posix()
            member = _relocated(path, f"{top}/{name}", base, top)
            if path.suffix == ".so":
                needed |= set(elf.read(member.data).needed)
            yield member
    yield from _shared_libraries(needed, base, top)


def _shared_libraries(needed: set[str], base: Base, top: str) -> Iterator[Member]:
    """Yield the interpreter's own shared libraries that are needed, and those that they need."""
    folders = [base.shared]
    if not base.is_of_system:
        folders.append(base.prefix / "lib")
    seen: set[str] = set()
    while needed - seen:
        names = sorted(needed - seen)
        seen.update(names)
        for name in names:
            if base.is_of_system and not name.startswith("libpython"):
                continue
            path = _first_file(name, folders)
            if path is not None:
                member = _relocated(path, f"{top}/lib/{name}", base, top)
                needed |= set(elf.read(member.data).needed)
                yield member


def _first_file(name: str, folders: list[Path]) -> Path | None:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    return None


def relative_variables(text: str, prefix: str) -> str:
    """Return a `_sysconfigdata` module whose paths in `prefix` follow its interpreter."""
    return text.replace(prefix, "@BASE@") + _RELATIVE


def _files(library: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(library, followlinks=False):
        folders[:] = sorted(name for name in folders if _is_packed(name))
        for name in sorted(names):
            path = Path(folder, name)
            if not name.endswith((".a", ".pyc")) and path.is_file():
                yield path


def _is_packed(folder: str) -> bool:
    return folder not in _LEFT_OUT and not folder.startswith("config-")


def _relocated(path: Path, name: str, base: Base, top: str) -> Member:
    member = of_file(path, name)
    is_sysconfig = path.name.startswith("_sysconfigdata") and path.suffix == ".py"
    if is_sysconfig and not base.is_of_system:
        text = path.read_text(encoding="utf-8")
        return Member(name=name, content=relative_variables(text, str(base.prefix)).encode())
    if not elf.is_elf(path):
        return member
    content = path.read_bytes()
    dynamic = elf.read(content)
    if not dynamic.has_absolute_paths:
        return member
    libraries = posixpath.relpath(f"{top}/lib", posixpath.dirname(name))
    # the second is shorter, and enough for a library that needs others of its folder
    for target in (f"$ORIGIN/{libraries}", "$ORIGIN"):
        changed = elf.with_path(content, dynamic, target)
        if changed is not None:
            return member.with_content(changed)
    paths = " and ".join(dynamic.paths.values())
    raise BuildFailed(
        f"pack {path}: it looks for libraries in {paths}, which is too short to change",
        "Name another interpreter with `--python`; those that uv installs can be moved.",
    )
