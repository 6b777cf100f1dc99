"""Make sure that the environment of a spec is there, building it once if it is not."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from envkit.child.progress import Reporter, silent
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.planning import PlannedEnvironment, plan_environment
from envkit.environments.store import uses
from envkit.environments.store.store import Ready, Store
from envkit.errors import InvalidArgument
from envkit.models.environment_spec import EnvironmentSpec


def prepare(
    spec: EnvironmentSpec,
    choice: EnvironmentChoice,
    *,
    root: Path | None = None,
    report: Reporter | None = None,
) -> Environment:
    """Return the ready environment of a spec; build it once if it is not in the store.

    `root` is the environment store (default: ENVKIT_HOME, else the user's cache folder). `report`
    gets a sentence about each step that takes time; what matters to the result is in `notes`.

    Raises `BuildFailed`, `InterpreterNotFound`, `ToolNotFound`, `InvalidFile` (a lock or local
    wheel of the model) or `InvalidArgument`.
    """
    if choice.manager is EnvType.LOCAL:
        return _local(spec, choice.python)
    store = Store.open(root)
    store.sweep()
    planned = plan_environment(spec, choice, store, report)
    environment = _stored(store, planned, report or silent)
    uses.record(store.root, environment.path.name, spec.directory)
    return environment


def _stored(store: Store, planned: PlannedEnvironment, report: Reporter) -> Environment:
    found = store.look(planned.manager.value, planned.key)
    environment = Environment(
        python=found.place / "bin" / "python",
        path=found.place,
        key=planned.key,
        manager=planned.manager,
        notes=planned.notes,
    )
    if isinstance(found, Ready):
        return environment
    return _built(store, planned, environment, report)


def _built(
    store: Store, planned: PlannedEnvironment, environment: Environment, report: Reporter
) -> Environment:
    # a warm run does without the installers
    from envkit.environments.building import Builder, check_lock

    manager = planned.manager.value
    notes = [*planned.notes, *check_lock(planned)]
    tool = ""
    if planned.conda is not None:
        tool = f" ({planned.conda.tool.kind})"
    report(f"Building {environment.path} with {manager}{tool}")
    builder = Builder(
        store=store, planned=planned, environ=os.environ, warn=notes.append, report=report
    )
    place, built, why = store.build(manager, planned.key, planned.interpreter, builder.fill, report)
    if why:
        notes.append(f"{place} was rebuilt: {why}.")
    if planned.conda is not None:
        notes += planned.conda.notes
    return replace(environment, built=built, notes=tuple(notes))


def _local(spec: EnvironmentSpec, python: Path | None) -> Environment:
    """Take an interpreter as it is; nothing is searched and nothing is installed."""
    executable = (python or Path(sys.executable)).absolute()
    if not os.access(executable, os.X_OK):
        raise InvalidArgument(f"{executable} is not an executable program.")
    notes = []
    running = ".".join(map(str, sys.version_info[:3]))
    if python is None and not f"{running}.".startswith(f"{spec.python}."):
        notes.append(f"The model wants Python {spec.python}; the local environment has {running}.")
    return Environment(
        python=executable,
        path=executable.parent.parent,
        key="",
        manager=EnvType.LOCAL,
        notes=tuple(notes),
    )
