"""Make sure that the environment of a spec is there, building it once if it is not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from envkit.environments import interpreter_choice, plan
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.installers import index_settings
from envkit.environments.plan import Plan
from envkit.environments.store import store, uses
from envkit.environments.store.digests import Digests
from envkit.environments.store.store import Ready, Store
from envkit.errors import InvalidArgument, InvalidFile
from envkit.interpreters.discovery import Interpreter
from envkit.interpreters.policy import PythonPolicy
from envkit.models.environment_spec import EnvironmentSpec

if TYPE_CHECKING:
    from envkit.environments.conda.engine import Conda
    from envkit.environments.installers.installer import Engine

Report = Callable[[str], None]


def prepare(
    spec: EnvironmentSpec,
    manager: EnvType,
    *,
    root: Path | None = None,
    overrides: Sequence[str] = (),
    allow_source: bool = False,
    python: Path | None = None,
    python_policy: PythonPolicy = PythonPolicy.MINOR,
    conda_exe: str | Path | None = None,
    report: Report | None = None,
) -> Environment:
    """Give the ready environment of a spec.

    `root` is the environment store (default: ENVKIT_HOME, else the user's cache folder).
    `overrides` are requirements that take the place of those of the same name; a lock is then void.
    `allow_source` lets the installer build source distributions, which runs their code. `python`
    names the interpreter; by default one of the spec's version is searched, or, as `python_policy`
    allows, one of another version, or one is downloaded by uv. A conda environment brings its own;
    `conda_exe` is the program that makes it (see `conda.external.find`). `report` is told, a
    sentence each, what takes time; what matters to the result is in `notes`.

    Raises `BuildFailed`, `InterpreterNotFound`, `ToolNotFound`, `InvalidFile` (a lock or local
    wheel of the model) or `InvalidArgument`.
    """
    if manager is EnvType.LOCAL:
        return _local(spec, overrides, python)
    shelf = Store(root=store.root_from(root, os.environ))
    shelf.sweep()
    site = survey(
        spec, manager, shelf, overrides=overrides, allow_source=allow_source, python=python,
        python_policy=python_policy, conda_exe=conda_exe, report=report,
    )  # fmt: skip
    environment = _stored(shelf, manager, site, os.environ, report or _silent)
    uses.record(shelf.root, environment.path.name, spec.directory)
    return environment


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """What a spec comes to on this machine: what is installed, with which interpreter, under which key."""

    plan: Plan
    interpreter: Interpreter
    key: str
    notes: tuple[str, ...]
    conda: Conda | None = None


def survey(
    spec: EnvironmentSpec,
    manager: EnvType,
    shelf: Store,
    *,
    overrides: Sequence[str] = (),
    allow_source: bool = False,
    python: Path | None = None,
    python_policy: PythonPolicy = PythonPolicy.MINOR,
    conda_exe: str | Path | None = None,
    report: Report | None = None,
) -> Site:
    """Say what `prepare` would look for, with the same arguments. Raises what it raises, apart from `BuildFailed`."""
    environ = os.environ
    digests = Digests(shelf.root / "digests.json")
    wanted = plan.of(spec, overrides=overrides, allow_source=allow_source, digest=digests.of)
    if manager is EnvType.CONDA:
        return _conda_site(spec, wanted, digests, python, python_policy, conda_exe)
    chosen = interpreter_choice.choose(
        wanted, python, python_policy, environ, shelf.memory, report or _silent
    )
    indexes = index_settings.deciding(manager, chosen.plan.lock, environ)
    return Site(
        plan=chosen.plan,
        interpreter=chosen.interpreter,
        key=chosen.plan.key(manager, chosen.interpreter, indexes),
        notes=(*_left_out(spec, manager), *chosen.notes),
    )


def _conda_site(
    spec: EnvironmentSpec,
    wanted: Plan,
    digests: Digests,
    python: Path | None,
    policy: PythonPolicy,
    conda_exe: str | Path | None,
) -> Site:
    """Conda brings the interpreter: what stands in its place in the key is the platform and the kind of tool."""
    from envkit.environments.conda import engine, needs

    if python is not None:
        raise InvalidArgument("A conda environment brings its own Python: leave `--python` away.")
    environ = os.environ
    tool = engine.tool(conda_exe, environ)
    asked = needs.of(spec, environ, policy)
    stand_in = Interpreter(
        executable=Path(), version=spec.python, implementation="conda", platform=needs.subdir(), abi=tool.kind,
        size=0, mtime_ns=0,
    )  # fmt: skip
    whole = replace(wanted, decisive=(*wanted.decisive, *asked.decisive(digests.of, environ)))
    key = whole.key(
        EnvType.CONDA, stand_in, index_settings.deciding(EnvType.UV, wanted.lock, environ)
    )
    return Site(
        plan=whole, interpreter=stand_in, key=key, notes=(), conda=engine.Conda(asked, tool)
    )


def _stored(
    shelf: Store, manager: EnvType, site: Site, environ: Mapping[str, str], report: Report
) -> Environment:
    key, wanted, interpreter = site.key, site.plan, site.interpreter
    notes = list(site.notes)
    found = shelf.look(manager.value, key)
    ready = Environment(
        python=found.place / "bin" / "python",
        path=found.place,
        key=key,
        manager=manager,
        notes=tuple(notes),
    )
    if isinstance(found, Ready):
        return ready
    notes += _check_lock(wanted)
    tool = f" ({site.conda.tool.kind})" if site.conda else ""
    report(f"Building {found.place} with {manager.value}{tool}")
    filler = _filler(shelf, manager, wanted, interpreter, environ, site.conda, notes.append, report)
    place, built, why = shelf.build(manager.value, key, interpreter, filler, report)
    notes += [f"{place} was built again: {why}."] if why else []
    notes += site.conda.notes if site.conda else []
    return replace(ready, built=built, notes=tuple(notes))


def _left_out(spec: EnvironmentSpec, manager: EnvType) -> list[str]:
    if not spec.conda_alone:
        return []
    packages = ", ".join(spec.conda_alone)
    return [
        f"The model asks conda for {packages}; {manager.value} installs Python packages alone, so not these."
    ]


def _check_lock(wanted: Plan) -> list[str]:
    """Refuse a lock that does not fit the requirements; give a note when it cannot be installed as it is."""
    if wanted.lock is None:
        return []
    from envkit.environments import pylock  # only builds read the lock

    lock = pylock.read(wanted.lock)
    if found := list(pylock.disagreements(lock, wanted.requirements)):
        raise InvalidFile(
            wanted.lock,
            "packages",
            f"does not fit the model's requirements: {'; '.join(found[:3])}",
            "Capture the model again, or remove the lock.",
        )
    if why := lock.obstacle_when(allow_source=wanted.allow_source):
        return [
            f"{wanted.lock.name} cannot be installed as it is ({why}); requirements were resolved anew."
        ]
    return []


def _filler(
    shelf: Store,
    manager: EnvType,
    wanted: Plan,
    interpreter: Interpreter,
    environ: Mapping[str, str],
    conda: Conda | None,
    warn: Report,
    report: Report,
) -> store.Fill:
    from envkit.child import variables as environment
    from envkit.environments import pylock
    from envkit.environments.installers import index_conflicts, yanked
    from envkit.environments.installers.installer import Workshop
    from envkit.formats import redaction, uv_toml
    from envkit.installed import records

    engine = conda or _engine(manager)
    by_uv = manager is not EnvType.VIRTUALENV
    settings = uv_toml.of_machine(environ) if by_uv else {}
    secrets = redaction.secrets_in([*wanted.secretive, str(settings)]) | (
        conda.needs.secrets if conda else frozenset()
    )

    def fill(place: Path, lock: int) -> Interpreter | None:
        workshop = Workshop(
            place=place,
            cache=shelf.cache(manager.value),
            variables=environment.for_installer(environ),
            inherit=(lock,),
            secrets=secrets,
            allow_source=wanted.allow_source,
            settings=settings,
            warn=warn,
            report=report,
        )
        if wanted.lock is not None:
            locked = pylock.read(wanted.lock)
        else:
            locked = None
        if locked is None or locked.obstacle_when(allow_source=wanted.allow_source):
            locked = None
            machine = index_settings.urls(manager, environ)
            index_conflicts.refuse(
                wanted, machine, interpreter, shelf.cache("uv"), workshop.variables
            )
        brought = engine.create(interpreter, workshop)
        if locked and by_uv:
            asked = yanked.Inquiry(locked, brought or interpreter, workshop)
        else:
            asked = None
        engine.install(wanted, workshop.with_own_temporary_files())
        for note in asked.notes() if asked else ():
            warn(note)
        for note in records.shared(place):
            warn(note)
        shutil.rmtree(workshop.papers)
        return brought

    return fill


def _engine(manager: EnvType) -> Engine:
    if manager is EnvType.UV:
        from envkit.environments.installers.uv import Uv

        return Uv()
    from envkit.environments.installers.virtualenv import Virtualenv

    return Virtualenv()


def _local(spec: EnvironmentSpec, overrides: Sequence[str], python: Path | None) -> Environment:
    """Take an interpreter as it is; nothing is looked for and nothing installed."""
    if overrides:
        raise InvalidArgument(
            "Requirements cannot be overridden in a local environment: nothing is installed there."
        )
    executable = (python or Path(sys.executable)).absolute()
    if not os.access(executable, os.X_OK):
        raise InvalidArgument(f"{executable} is no program that can be started.")
    notes = []
    running = ".".join(str(part) for part in sys.version_info[:3])
    if python is None and not f"{running}.".startswith(f"{spec.python}."):
        notes.append(f"The model wants Python {spec.python}; the local environment has {running}.")
    return Environment(
        python=executable,
        path=executable.parent.parent,
        key="",
        manager=EnvType.LOCAL,
        notes=tuple(notes),
    )


def _silent(_: str) -> None:
    """Report nothing."""
