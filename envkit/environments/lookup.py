"""Where the environment of a model is, without building it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from envkit.environments import prepare
from envkit.environments.env_type import EnvType
from envkit.environments.store import store
from envkit.environments.store.store import Ready, Store
from envkit.errors import InvalidArgument
from envkit.interpreters.policy import PythonPolicy
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.uris.required_files import ENVIRONMENT


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """path: where the environment is, or would be built. ready: whether it is there and sound; why: if not, why."""

    path: Path
    ready: bool
    why: str = ""


def find_env(
    model_uri: str | Path,
    env_manager: EnvType | str = EnvType.UV,
    *,
    allow_source: bool = False,
    pip_requirements_override: str | Sequence[str] = (),
    python: str | Path | None = None,
    python_policy: PythonPolicy | str = PythonPolicy.MINOR,
    conda_exe: str | Path | None = None,
    root: Path | None = None,
) -> Found:
    """Say where `prepare_env` with the same arguments finds the environment of a model; nothing is built.

    Raises what `prepare_env` raises, apart from `BuildFailed`.
    """
    try:
        manager, policy = EnvType(env_manager), PythonPolicy(python_policy)
    except ValueError as error:
        raise InvalidArgument(f"{error}.") from None
    model = ModelDirectory.open(model_uri, ENVIRONMENT)
    if manager is EnvType.LOCAL:
        raise InvalidArgument(
            "A local environment is the Python that runs envkit; it is not in the store."
        )
    shelf = Store(root=store.root_from(root, os.environ))
    overrides = pip_requirements_override
    site = prepare.survey(
        read_spec(model, for_conda=manager is EnvType.CONDA),
        manager,
        shelf,
        overrides=(overrides,) if isinstance(overrides, str) else tuple(overrides),
        allow_source=allow_source,
        python=Path(python) if python is not None else None,
        python_policy=policy,
        conda_exe=conda_exe,
    )
    found = shelf.look(manager.value, site.key)
    if isinstance(found, Ready):
        return Found(path=found.place, ready=True)
    return Found(path=found.place, ready=False, why=found.why)
