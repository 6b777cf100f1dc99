"""Put the environment of a model into an archive that runs wherever it is unpacked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from envkit.child.progress import step
from envkit.environments import pylock
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.installers import index_settings
from envkit.environments.packing import base, compression, conda, description, virtual, writing
from envkit.environments.packing.description import Description
from envkit.environments.packing.members import Member
from envkit.environments.planning import PlannedEnvironment, plan_environment
from envkit.environments.prepare import prepare
from envkit.environments.store.store import Store
from envkit.errors import BuildFailed, InvalidArgument
from envkit.interpreters.interpreter import Interpreter
from envkit.interpreters.known_interpreters import KnownInterpreters
from envkit.interpreters.policy import PythonPolicy
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.environment_spec import EnvironmentSpec
from envkit.models.uris.required_files import ENVIRONMENT

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Packed:
    """An archive. size: of its file, in bytes. members: how many files and links it has. environment: what is in it."""

    path: Path
    size: int
    members: int
    environment: Environment


def pack(
    model_uri: str | Path,
    output: str | Path,
    env_manager: EnvType | str = EnvType.UV,
    *,
    allow_source: bool = False,
    pip_requirements_override: str | Sequence[str] = (),
    python: str | Path | None = None,
    python_policy: PythonPolicy | str = PythonPolicy.MINOR,
    conda_exe: str | Path | None = None,
    report: Report | None = None,
) -> Packed:
    """Write an archive of a model's environment, with its interpreter; the environment is built when it is not there.

    output: a file that ends with `.tar.zst`, `.tar.gz`, `.tgz` or `.tar`, which is replaced. The
    other arguments are those of `prepare_env`. Equal environments give equal bytes.

    Raises what `prepare_env` raises, `InvalidArgument` for an `output` that cannot be written,
    `ToolNotFound` when a library for the compression is missing, `BuildFailed` when the interpreter
    cannot be moved.
    """
    choice = EnvironmentChoice.from_arguments(
        env_manager,
        allow_source=allow_source,
        pip_requirements_override=pip_requirements_override,
        python=python,
        python_policy=python_policy,
        conda_exe=conda_exe,
    )
    manager = choice.manager
    target = Path(output).absolute()
    _check(manager, target)
    spec = read_spec(
        ModelDirectory.open(model_uri, ENVIRONMENT), for_conda=manager is EnvType.CONDA
    )
    shelf = Store.open()
    environment = prepare(spec, choice, report=report)
    planned = plan_environment(spec, choice, shelf)
    tell = report or (lambda _: None)
    for note in environment.notes:
        tell(note)
    tell(f"Packing {environment.path} into {target}")
    using = shelf.use(environment.path)  # nobody removes it meanwhile
    try:
        with step(report, f"Packing {environment.path.name}") as advance:
            if manager is EnvType.CONDA:
                members = _conda_members(planned, spec, environment, shelf)
            else:
                members = _members(planned, environment.path)
            writing.write(target, members, os.environ, advance)
    finally:
        if using is not None:
            os.close(using)
    return Packed(
        path=target, size=target.stat().st_size, members=len(members), environment=environment
    )


def _check(manager: EnvType, target: Path) -> None:
    if manager is EnvType.LOCAL:
        raise InvalidArgument(
            "A local environment belongs to this machine; pack one that uv, virtualenv or conda builds."
        )
    compression.check(target)
    if not target.parent.is_dir():
        raise InvalidArgument(
            f"The archive cannot be written to {target}: there is no such folder."
        )


def _members(planned: PlannedEnvironment, place: Path) -> list[Member]:
    """Give all members of a virtual environment with its interpreter beside it, the description first."""
    python = planned.interpreter
    own = list(virtual.members(place, python.minor))
    beside = list(base.members(base.of(python.executable), python.minor, virtual.BASE))
    told = _described(planned, python, len(own) + len(beside))
    told = replace(told, base=_digest(beside))
    return [Member(name=description.NAME, content=told.dumps()), *own, *beside]


def _conda_members(
    planned: PlannedEnvironment, spec: EnvironmentSpec, environment: Environment, shelf: Store
) -> list[Member]:
    """Give all members of a conda environment, which holds its interpreter, the description first."""
    python = KnownInterpreters(shelf.interpreters_file).identify(environment.python)
    if python is None:
        raise BuildFailed(f"start {environment.python}", "It is no Python that starts.")
    own = list(conda.members(environment.path))
    told = _described(planned, python, len(own))
    told = replace(told, conda={"channels": spec.conda_channels, "specs": spec.conda_specs})
    return [Member(name=description.NAME, content=told.dumps()), *own]


def _described(planned: PlannedEnvironment, python: Interpreter, members: int) -> Description:
    manager, lock = planned.manager, planned.plan.lock
    return Description(
        manager=manager.value,
        facts=planned.plan.facts(
            manager, planned.interpreter, index_settings.deciding(manager, lock, os.environ)
        ),
        indexed=lock is None or bool(pylock.read(lock).obstacle),
        members=members,
        version=python.version,
        implementation=python.implementation,
        platform=python.platform,
        abi=python.abi,
        base="",
    )


def _digest(members: Iterable[Member]) -> str:
    total = hashlib.sha256()
    for each in sorted(members, key=lambda member: member.name):
        content = hashlib.sha256(each.data).hexdigest()
        total.update(
            f"{each.name}\0{each.link}\0{each.executable}\0{content}\n".encode(
                "utf-8", "surrogateescape"
            )
        )
    return total.hexdigest()
