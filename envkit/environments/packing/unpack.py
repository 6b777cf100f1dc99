"""Make an environment of an archive: one of the store, ready for its models, or a folder of one's own."""

from __future__ import annotations

import os
import shutil
import sysconfig
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from envkit.child.progress import step
from envkit.environments import cache_key, plan
from envkit.environments.conda import engine as conda
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.installers import index_settings
from envkit.environments.packing import extraction, virtual
from envkit.environments.packing.description import Description
from envkit.environments.packing.extraction import Entries
from envkit.environments.store.store import Store
from envkit.errors import BuildFailed, InterpreterNotFound, InvalidArgument, InvalidFile
from envkit.inside.programs import relocation
from envkit.installed import conda_records as conda_records
from envkit.installed import records
from envkit.interpreters import discovery
from envkit.interpreters.discovery import Search
from envkit.interpreters.interpreter import Interpreter, minor_of
from envkit.interpreters.policy import PythonPolicy

Report = Callable[[str], None]


def unpack(
    archive: str | Path, into: str | Path | None = None, *, report: Report | None = None
) -> Environment:
    """Unpack an archive that `pack` made.

    Without `into` it becomes an environment of the store under the key that its models have on this
    machine; its interpreter is one of this machine that is exactly the same version and build, else
    the one that came along, which is then kept in the store's `pythons/`. With `into`, a folder
    that is empty or not there, it is laid there as it is.

    An archive holds programs: unpack what you trust. Nothing of it is started here, and nothing is
    written elsewhere.

    Raises `InvalidInput` when there is no such archive, `InvalidFile` for one that is damaged,
    hostile or for another kind of machine, `InvalidArgument` for a folder that holds something,
    `BuildFailed` when it cannot be written.
    """
    path = Path(archive).absolute()
    with extraction.opened(path) as (told, entries):
        _check_platform(path, told)
        manager = _manager(told, path)
        if into is not None:
            return _into(Path(into).absolute(), path, told, entries, manager)
        return _into_store(path, told, entries, manager, report or (lambda _: None))


def _check_platform(path: Path, told: Description) -> None:
    own = sysconfig.get_platform()
    if told.platform != own:
        raise InvalidFile(
            path, "", f"holds an environment for {told.platform}; this machine is {own}"
        )
    name, needed = _libc(told)
    found = next(iter(cache_key.libc()), "")
    if name and found.startswith(f"{name} ") and _order(found.partition(" ")[2]) < _order(needed):
        raise InvalidFile(
            path, "", f"was made where there is {name} {needed}; this machine has {found}"
        )


def _libc(told: Description) -> tuple[str, str]:
    """The C library of the machine that packed; what an older one was built with may not start."""
    listed = told.facts.get("libc")
    name, _, version = (
        str(listed[0]).partition(" ") if isinstance(listed, list) and listed else ("", "", "")
    )
    return name, version


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _into(
    folder: Path, path: Path, told: Description, entries: Entries, manager: EnvType
) -> Environment:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidArgument(f"{folder} is not empty. Name a folder that is not there yet.")
    # a short name: its own may be as long as names can be
    partial = folder.with_name(f".envkit-unpack.{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        extraction.extract(path, partial, told, entries)
        _check_records(path, partial)
        _relocate(path, partial, folder)
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except OSError as error:
        raise BuildFailed(
            f"unpack {path} into {folder}", f"{error.strerror}: {error.filename or folder}"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Environment(
        python=folder / "bin" / "python",
        path=folder,
        key=plan.key_of(told.facts),
        manager=manager,
        built=True,
    )


def _check_records(path: Path, folder: Path) -> None:
    if found := [*records.problems(folder), *conda_records.problems(folder)]:
        raise InvalidFile(
            path, "", f"has {len(found)} files that do not fit their records, such as: {found[0]}"
        )


def _relocate(path: Path, place: Path, prefix: Path) -> None:
    """Write where it will lie into the files of a conda environment that need it; others have none."""
    if not (place / conda_records.FOLDER).is_dir():
        return
    try:
        relocation.relocate(place, prefix)
    except relocation.TooLong as error:
        raise BuildFailed(
            f"unpack {path} into {prefix}", f"{error}. Choose a shorter path."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidFile(path, "", f"has damaged records of conda ({error})") from error


def _into_store(
    path: Path, told: Description, entries: Entries, manager: EnvType, report: Report
) -> Environment:
    shelf = Store.open()
    shelf.sweep()
    key = plan.key_of(_fitted(told, manager))
    chosen, bundled = (
        (_came(told, Path()), None) if manager is EnvType.CONDA else _interpreter(told, shelf)
    )

    def fill(place: Path, _: int) -> Interpreter | None:
        place.mkdir()
        with step(report, f"Unpacking {path.name}"):
            extraction.extract(path, place, told, entries)
        if manager is EnvType.CONDA:
            _check_records(path, place)
            _relocate(path, place, place)
            return _came(told, place)
        _settle(place, chosen.executable, bundled)
        return None

    report(f"Unpacking {path}")
    place, built, why = shelf.build(manager.value, key, chosen, fill, report)
    notes = (f"{place} was built again: {why}.",) if why else ()
    return Environment(
        python=place / "bin" / "python",
        path=place,
        key=key,
        manager=manager,
        built=built,
        notes=notes,
    )


def _manager(told: Description, path: Path) -> EnvType:
    try:
        return EnvType(told.manager)
    except ValueError:
        raise InvalidFile(
            path, "", f"was built by {told.manager!r}, which this envkit does not know"
        ) from None


def _fitted(told: Description, manager: EnvType) -> dict[str, object]:
    """Give the facts as this machine would state them for a model that needs this environment."""
    if told.indexed:
        indexes = index_settings.deciding(manager, None, os.environ)
    else:
        indexes = ()
    facts = {**told.facts, "machine_indexes": list(indexes), "libc": list(cache_key.libc())}
    if manager is EnvType.CONDA:
        return conda.refitted(facts, told.conda, os.environ)
    return facts


def _interpreter(told: Description, shelf: Store) -> tuple[Interpreter, Path | None]:
    """Give the interpreter to use, and where to put the one that came along if it is that one."""
    search = Search(environ=os.environ, memory=shelf.interpreters_file, policy=PythonPolicy.EXACT)
    with suppress(InterpreterNotFound):
        found = discovery.find(told.version, search).interpreter
        if (found.version, found.abi, found.platform) == (told.version, told.abi, told.platform):
            return found, None
    name = f"{told.implementation}-{told.version}-{told.platform}-{told.base[:16]}"
    folder = search.unpacked / name
    return _came(told, folder), folder


def _came(told: Description, folder: Path) -> Interpreter:
    """Give the interpreter that came along, in the folder where it lies."""
    return Interpreter(
        executable=folder / "bin" / f"python{minor_of(told.version)}",
        version=told.version,
        implementation=told.implementation,
        platform=told.platform,
        abi=told.abi,
    )


def _settle(place: Path, executable: Path, bundled: Path | None) -> None:
    """Tie an unpacked virtual environment to its interpreter, as those that are built here are."""
    came = place / virtual.BASE
    if bundled is not None and not bundled.exists():
        bundled.parent.mkdir(parents=True, exist_ok=True)
        try:
            came.rename(bundled)
        except OSError:
            if not bundled.exists():  # another process was quicker
                raise
    shutil.rmtree(came, ignore_errors=True)
    for link in [*place.glob("bin/python*")]:
        if link.is_symlink() and os.readlink(link).startswith("../"):  # noqa: PTH115 - a text
            link.unlink()
            link.symlink_to(executable)
    lines = (f"home = {executable.parent}", "include-system-site-packages = false")
    (place / virtual.CONFIGURATION).write_text("\n".join(lines) + "\n", encoding="utf-8")
