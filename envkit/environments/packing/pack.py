"""Put the environment of a model into an archive that runs wherever it is unpacked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from envkit.child.progress import Reporter, silent, step
from envkit.environments import locked_packages
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.installers import index_settings
from envkit.environments.packing import base, compression, conda, description, virtual, writing
from envkit.environments.packing.description import ArchiveDescription
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Packed:
    """An archive. size: of its file, in bytes. members: how many files and links it has."""

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
    report: Reporter | None = None,
) -> Packed:
    """Write an archive of a model's environment, which is built when it is not there.

    The archive holds the interpreter too. Equal environments give equal bytes.

    Args:
        model_uri: The model, by its path or URI.
        output: A file that ends with `.tar.zst`, `.tar.gz`, `.tgz` or `.tar`, which is replaced.
        env_manager: As for `prepare_env`.
        allow_source: As for `prepare_env`.
        pip_requirements_override: As for `prepare_env`.
        python: As for `prepare_env`.
        python_policy: As for `prepare_env`.
        conda_exe: As for `prepare_env`.
        report: Gets the notes of the build.

    Returns:
        The archive: its path, size and members, and the environment in it.

    Raises:
        InvalidArgument: `output` cannot be written, or as `prepare_env` says.
        ToolNotFound: A library for the compression is missing, or as `prepare_env` says.
        BuildFailed: The interpreter cannot be moved, or as `prepare_env` says.
    """
    choice = EnvironmentChoice.from_arguments(
        env_manager,
        allow_source=allow_source,
        pip_requirements_override=pip_requirements_override,
        python=python,
        python_policy=python_policy,
        conda_exe=conda_exe,
    )
    target = Path(output).absolute()
    _check(choice.manager, target)
    model = ModelDirectory.open(model_uri, ENVIRONMENT)
    spec = read_spec(model, for_conda=choice.manager is EnvType.CONDA)
    store = Store.open()
    environment = prepare(spec, choice, report=report)
    planned = plan_environment(spec, choice, store)
    tell = report or silent
    for note in environment.notes:
        tell(note)
    tell(f"Packing {environment.path} into {target}")
    # nobody removes it meanwhile
    in_use = store.use(environment.path)
    try:
        with step(report, f"Packing {environment.path.name}") as advance:
            if choice.manager is EnvType.CONDA:
                members = _conda_members(planned, spec, environment, store)
            else:
                members = _members(planned, environment.path)
            writing.write(target, members, os.environ, advance)
    finally:
        if in_use is not None:
            os.close(in_use)
    return Packed(
        path=target, size=target.stat().st_size, members=len(members), environment=environment
    )


def _check(manager: EnvType, target: Path) -> None:
    if manager is EnvType.LOCAL:
        raise InvalidArgument(
            "A local environment belongs to this machine; "
            "pack one that uv, virtualenv or conda builds."
        )
    compression.check(target)
    if not target.parent.is_dir():
        raise InvalidArgument(
            f"The archive cannot be written to {target}: there is no such folder."
        )


def _members(planned: PlannedEnvironment, place: Path) -> list[Member]:
    """Return all members of a virtual environment and its interpreter, the description first."""
    interpreter = planned.interpreter
    own = list(virtual.members(place, interpreter.minor))
    of_base = base.of(interpreter.executable)
    of_interpreter = list(base.members(of_base, interpreter.minor, virtual.BASE))
    described = replace(
        _describe(planned, interpreter, len(own) + len(of_interpreter)),
        base=_digest(of_interpreter),
    )
    first = Member(name=description.NAME, content=described.dumps())
    return [first, *own, *of_interpreter]


def _conda_members(
    planned: PlannedEnvironment, spec: EnvironmentSpec, environment: Environment, store: Store
) -> list[Member]:
    """Return the description and all members of a conda environment and its interpreter."""
    interpreter = KnownInterpreters(store.interpreters_file).identify(environment.python)
    if interpreter is None:
        raise BuildFailed(f"start {environment.python}", "It is not a working Python interpreter.")
    own = list(conda.members(environment.path))
    described = replace(
        _describe(planned, interpreter, len(own)),
        conda={"channels": spec.conda_channels, "specs": spec.conda_specs},
    )
    return [Member(name=description.NAME, content=described.dumps()), *own]


def _describe(
    planned: PlannedEnvironment, interpreter: Interpreter, members: int
) -> ArchiveDescription:
    manager, lock = planned.manager, planned.plan.lock
    indexes = index_settings.deciding(manager, lock, os.environ)
    return ArchiveDescription(
        manager=manager.value,
        facts=planned.plan.facts(manager, planned.interpreter, indexes),
        indexed=lock is None or bool(locked_packages.obstacle(lock)),
        members=members,
        version=interpreter.version,
        implementation=interpreter.implementation,
        platform=interpreter.platform,
        abi=interpreter.abi,
        base="",
    )


def _digest(members: Iterable[Member]) -> str:
    total = hashlib.sha256()
    for member in sorted(members, key=lambda member: member.name):
        content = hashlib.sha256(member.data).hexdigest()
        line = f"{member.name}\0{member.link}\0{member.executable}\0{content}\n"
        total.update(line.encode("utf-8", "surrogateescape"))
    return total.hexdigest()
