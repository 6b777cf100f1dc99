"""What a spec comes to on this machine, without building it: plan, interpreter and key."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from envkit.child.progress import Reporter, silent
from envkit.environments import interpreter_choice, plan
from envkit.environments.env_type import EnvType
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.installers import index_settings
from envkit.environments.plan import Plan
from envkit.environments.store.digests import Digests
from envkit.environments.store.store import Store
from envkit.interpreters.interpreter import Interpreter
from envkit.models.environment_spec import EnvironmentSpec

if TYPE_CHECKING:
    from envkit.environments.conda.engine import Conda


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedEnvironment:
    """An environment as it would be built: what is installed, with what Python, under which key.

    conda: the engine that builds it, when it is a conda environment. notes: what the user should
    know about the choice of the interpreter and about packages that are left out.
    """

    manager: EnvType
    plan: Plan
    interpreter: Interpreter
    key: str
    notes: tuple[str, ...]
    conda: Conda | None = None


def plan_environment(
    spec: EnvironmentSpec,
    choice: EnvironmentChoice,
    store: Store,
    report: Reporter | None = None,
) -> PlannedEnvironment:
    """Plan the environment of a spec: `prepare` builds it, or finds it in the store, under its key.

    Raises what `prepare` raises, apart from `BuildFailed`.
    """
    digests = Digests(store.root / "digests.json")
    wanted = plan.of(
        spec,
        overrides=choice.overrides,
        allow_source=choice.allow_source,
        digest=digests.of,
    )
    if choice.manager is EnvType.CONDA:
        return _plan_conda(spec, wanted, choice, digests, store.root / "conda-settings")
    chosen = interpreter_choice.choose(
        wanted,
        choice.python,
        choice.python_policy,
        os.environ,
        store.interpreters_file,
        report or silent,
    )
    indexes = index_settings.deciding(choice.manager, chosen.plan.lock, os.environ)
    return PlannedEnvironment(
        manager=choice.manager,
        plan=chosen.plan,
        interpreter=chosen.interpreter,
        key=chosen.plan.key(choice.manager, chosen.interpreter, indexes),
        notes=(*_left_out(spec, choice.manager), *chosen.notes),
    )


def _plan_conda(
    spec: EnvironmentSpec,
    wanted: Plan,
    choice: EnvironmentChoice,
    digests: Digests,
    settings_memory: Path,
) -> PlannedEnvironment:
    """Plan a conda environment.

    It brings its interpreter: platform and kind of tool stand in for that in the key.
    """
    # what builds conda environments costs other environments nothing
    from envkit.environments.conda import engine, machine, request

    environ = os.environ
    tool = engine.tool(choice.conda_exe, environ)
    settings = tool.settings(environ, settings_memory)
    conda_request = request.of(spec, environ, settings, choice.python_policy)
    stand_in = Interpreter(
        executable=Path(),
        version=spec.python,
        implementation="conda",
        platform=machine.subdir(),
        abi=tool.kind,
    )
    decisive = (*wanted.decisive, *conda_request.decisive(digests.of, environ))
    wanted = replace(wanted, decisive=decisive)
    # uv installs the pip section
    indexes = index_settings.deciding(EnvType.UV, wanted.lock, environ)
    return PlannedEnvironment(
        manager=EnvType.CONDA,
        plan=wanted,
        interpreter=stand_in,
        key=wanted.key(EnvType.CONDA, stand_in, indexes),
        notes=(),
        conda=engine.Conda(conda_request, tool),
    )


def _left_out(spec: EnvironmentSpec, manager: EnvType) -> list[str]:
    if not spec.conda_alone:
        return []
    packages = ", ".join(spec.conda_alone)
    return [
        f"The model asks conda for {packages}; {manager.value} installs only Python packages "
        "and leaves these out."
    ]
