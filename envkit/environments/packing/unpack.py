"""Make an environment of an archive: one of the store, or a folder of the user's choice."""

from __future__ import annotations

import os
import shutil
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from envkit.child.progress import Reporter, silent, step
from envkit.environments import cache_key, plan
from envkit.environments.conda import engine as conda
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.installers import index_settings
from envkit.environments.packing import extraction, virtual
from envkit.environments.packing.description import ArchiveDescription
from envkit.environments.packing.extraction import Entries
from envkit.environments.store.store import Store
from envkit.errors import BuildFailed, InterpreterNotFound, InvalidArgument, InvalidFile
from envkit.inside.programs import relocation
from envkit.installed import conda_meta, conda_records, records
from envkit.interpreters import discovery
from envkit.interpreters.discovery import Search
from envkit.interpreters.interpreter import Interpreter, minor_of, numbers_of
from envkit.interpreters.policy import PythonPolicy


def unpack(
    archive: str | Path, into: str | Path | None = None, *, report: Reporter | None = None
) -> Environment:
    """Unpack an archive that `pack` made.

    Without `into` it becomes an environment of the store under the key that its models have on this
    machine; its interpreter is a local one of exactly the same version and build, else
    the one that came along, which is then kept in the store's `pythons/`. With `into`, a folder
    that is empty or does not exist, it is laid there as it is.

    An archive holds programs: unpack what you trust. Nothing of it is started here, and nothing is
    written elsewhere.

    Raises `InvalidInput` when there is no such archive, `InvalidFile` for one that is damaged,
    hostile or for another kind of machine, `InvalidArgument` for a folder that holds something,
    `BuildFailed` when it cannot be written.
    """
    path = Path(archive).absolute()
    with extraction.opened(path) as (description, entries):
        _check_platform(path, description)
        opened = _Archive(path, description, entries, _manager(description, path))
        if into is not None:
            return _into_folder(Path(into).absolute(), opened)
        return _into_store(opened, report or silent)


@dataclass(frozen=True, slots=True)
class _Archive:
    """An archive that is being read. entries: its members, which can be read once."""

    path: Path
    description: ArchiveDescription
    entries: Entries
    manager: EnvType

    def extract(self, place: Path) -> None:
        """Write all members into an empty folder. Raises `InvalidFile` or `OSError`."""
        extraction.extract(self.path, place, self.description, self.entries)


def _check_platform(path: Path, description: ArchiveDescription) -> None:
    own = sysconfig.get_platform()
    if description.platform != own:
        raise InvalidFile(
            path, "", f"holds an environment for {description.platform}; this machine is {own}"
        )
    # what an environment was built with may not start where the C library is older
    name, needed = _libc_of(description)
    here = next(iter(cache_key.libc()), "")
    own_name, _, own_version = here.partition(" ")
    if name and name == own_name and numbers_of(own_version) < numbers_of(needed):
        raise InvalidFile(path, "", f"was made with {name} {needed}; this machine has {here}")


def _libc_of(description: ArchiveDescription) -> tuple[str, str]:
    """Return name and version of the C library of the machine that packed."""
    listed = description.facts.get("libc")
    if not isinstance(listed, list) or not listed:
        return "", ""
    name, _, version = str(listed[0]).partition(" ")
    return name, version


def _into_folder(folder: Path, archive: _Archive) -> Environment:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidArgument(f"{folder} is not empty. Name a folder that does not exist yet.")
    # a short name: the folder's own may be as long as names can be
    partial = folder.with_name(f".envkit-unpack.{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        archive.extract(partial)
        _check_records(archive.path, partial)
        _relocate(archive.path, partial, folder)
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except OSError as error:
        raise BuildFailed(
            f"unpack {archive.path} into {folder}", f"{error.strerror}: {error.filename or folder}"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Environment(
        python=folder / "bin" / "python",
        path=folder,
        key=plan.key_of(archive.description.facts),
        manager=archive.manager,
        built=True,
    )


def _check_records(path: Path, folder: Path) -> None:
    problems = [*records.problems(folder), *conda_records.problems(folder)]
    if problems:
        raise InvalidFile(
            path,
            "",
            f"has {len(problems)} files that do not match their records, such as: {problems[0]}",
        )


def _relocate(path: Path, place: Path, prefix: Path) -> None:
    """Write the final place into the files of a conda environment; others do not name it."""
    if not (place / conda_meta.FOLDER).is_dir():
        return
    try:
        relocation.relocate(place, prefix)
    except relocation.TooLong as error:
        raise BuildFailed(
            f"unpack {path} into {prefix}", f"{error}. Choose a shorter path."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidFile(path, "", f"has damaged records of conda ({error})") from error


def _into_store(archive: _Archive, report: Reporter) -> Environment:
    store = Store.open()
    store.sweep()
    description, manager = archive.description, archive.manager
    key = plan.key_of(_fitted(description, manager))
    bundled = None
    if manager is EnvType.CONDA:
        interpreter = _bundled_interpreter(description, Path())
    else:
        interpreter, bundled = _interpreter(description, store)

    def fill(place: Path, _: int) -> Interpreter | None:
        place.mkdir()
        with step(report, f"Unpacking {archive.path.name}"):
            archive.extract(place)
        if manager is EnvType.CONDA:
            _check_records(archive.path, place)
            _relocate(archive.path, place, place)
            return _bundled_interpreter(description, place)
        _link_interpreter(place, interpreter.executable, bundled)
        return None

    report(f"Unpacking {archive.path}")
    place, built, why = store.build(manager.value, key, interpreter, fill, report)
    notes = (f"{place} was rebuilt: {why}.",) if why else ()
    return Environment(
        python=place / "bin" / "python",
        path=place,
        key=key,
        manager=manager,
        built=built,
        notes=notes,
    )


def _manager(description: ArchiveDescription, path: Path) -> EnvType:
    try:
        return EnvType(description.manager)
    except ValueError:
        problem = f"was built by {description.manager!r}, which this envkit does not know"
        raise InvalidFile(path, "", problem) from None


def _fitted(description: ArchiveDescription, manager: EnvType) -> dict[str, object]:
    """Return the facts as this machine states them for a model that needs this environment."""
    indexes: tuple[str, ...] = ()
    if description.indexed:
        indexes = index_settings.deciding(manager, None, os.environ)
    facts = {
        **description.facts,
        "machine_indexes": list(indexes),
        "libc": list(cache_key.libc()),
    }
    if manager is EnvType.CONDA:
        return conda.refitted(facts, description.conda, os.environ)
    return facts


def _interpreter(description: ArchiveDescription, store: Store) -> tuple[Interpreter, Path | None]:
    """Choose the interpreter, and where to put the one that came along, if it is that one."""
    search = Search(environ=os.environ, memory=store.interpreters_file, policy=PythonPolicy.EXACT)
    with suppress(InterpreterNotFound):
        interpreter = discovery.find(description.version, search).interpreter
        if _is_same_build(interpreter, description):
            return interpreter, None
    name = "-".join(
        (
            description.implementation,
            description.version,
            description.platform,
            description.base[:16],
        )
    )
    folder = search.unpacked / name
    return _bundled_interpreter(description, folder), folder


def _is_same_build(interpreter: Interpreter, description: ArchiveDescription) -> bool:
    return (
        interpreter.version == description.version
        and interpreter.abi == description.abi
        and interpreter.platform == description.platform
    )


def _bundled_interpreter(description: ArchiveDescription, folder: Path) -> Interpreter:
    """Return the interpreter that came along, in the folder where it lies."""
    return Interpreter(
        executable=folder / "bin" / f"python{minor_of(description.version)}",
        version=description.version,
        implementation=description.implementation,
        platform=description.platform,
        abi=description.abi,
    )


def _link_interpreter(place: Path, executable: Path, bundled: Path | None) -> None:
    """Tie an unpacked virtual environment to its interpreter, as installers do."""
    came_along = place / virtual.BASE
    if bundled is not None and not bundled.exists():
        bundled.parent.mkdir(parents=True, exist_ok=True)
        try:
            came_along.rename(bundled)
        except OSError:
            # another process was quicker
            if not bundled.exists():
                raise
    shutil.rmtree(came_along, ignore_errors=True)
    for link in list(place.glob("bin/python*")):
        if link.is_symlink() and os.readlink(link).startswith("../"):  # noqa: PTH115 - a text
            link.unlink()
            link.symlink_to(executable)
    lines = (f"home = {executable.parent}", "include-system-site-packages = false")
    (place / virtual.CONFIGURATION).write_text("\n".join(lines) + "\n", encoding="utf-8")
