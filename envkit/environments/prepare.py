"""Make sure that the environment of a spec is there, building it once if it is not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.installers import index_settings
from envkit.environments.plan import Plan
from envkit.environments.planning import PlannedEnvironment, plan_environment
from envkit.environments.store import store, uses
from envkit.environments.store.store import Ready, Store
from envkit.errors import InvalidArgument, InvalidFile
from envkit.interpreters.interpreter import Interpreter
from envkit.models.environment_spec import EnvironmentSpec

if TYPE_CHECKING:
    from envkit.environments.installers.installer import Engine

Report = Callable[[str], None]


def prepare(
    spec: EnvironmentSpec,
    choice: EnvironmentChoice,
    *,
    root: Path | None = None,
    report: Report | None = None,
) -> Environment:
    """Return the ready environment of a spec; build it once if it is not in the store.

    `root` is the environment store (default: ENVKIT_HOME, else the user's cache folder). `report`
    gets a sentence about each step that takes time; what matters to the result is in `notes`.

    Raises `BuildFailed`, `InterpreterNotFound`, `ToolNotFound`, `InvalidFile` (a lock or local
    wheel of the model) or `InvalidArgument`.
    """
    if choice.manager is EnvType.LOCAL:
        return _local(spec, choice.python)
    shelf = Store.open(root)
    shelf.sweep()
    planned = plan_environment(spec, choice, shelf, report)
    environment = _stored(shelf, planned, os.environ, report or _silent)
    uses.record(shelf.root, environment.path.name, spec.directory)
    return environment


def _stored(
    shelf: Store, planned: PlannedEnvironment, environ: Mapping[str, str], report: Report
) -> Environment:
    key, manager = planned.key, planned.manager
    found = shelf.look(manager.value, key)
    ready = Environment(
        python=found.place / "bin" / "python",
        path=found.place,
        key=key,
        manager=manager,
        notes=planned.notes,
    )
    if isinstance(found, Ready):
        return ready
    notes = [*planned.notes, *_check_lock(planned.plan)]
    tool = f" ({planned.conda.tool.kind})" if planned.conda else ""
    report(f"Building {found.place} with {manager.value}{tool}")
    filler = _filler(shelf, planned, environ, notes.append, report)
    place, built, why = shelf.build(manager.value, key, planned.interpreter, filler, report)
    if why:
        notes.append(f"{place} was built again: {why}.")
    if planned.conda:
        notes += planned.conda.notes
    return replace(ready, built=built, notes=tuple(notes))


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
    planned: PlannedEnvironment,
    environ: Mapping[str, str],
    warn: Report,
    report: Report,
) -> store.Fill:
    from envkit.child import variables as environment
    from envkit.environments import pylock
    from envkit.environments.installers import index_conflicts, yanked
    from envkit.environments.installers.installer import Workshop
    from envkit.formats import redaction, uv_toml
    from envkit.installed import records

    manager, wanted, interpreter, conda = (
        planned.manager,
        planned.plan,
        planned.interpreter,
        planned.conda,
    )
    engine = conda or _engine(manager)
    by_uv = manager is not EnvType.VIRTUALENV
    settings = uv_toml.of_machine(environ) if by_uv else {}
    secrets = redaction.secrets_in([*wanted.lines_with_secrets, str(settings)]) | (
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


def _local(spec: EnvironmentSpec, python: Path | None) -> Environment:
    """Take an interpreter as it is; nothing is looked for and nothing installed."""
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
