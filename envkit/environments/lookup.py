"""Where the environment of a model is, without building it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from envkit.environments.env_type import EnvType
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.planning import plan_environment
from envkit.environments.store.store import Ready, Store
from envkit.errors import InvalidArgument
from envkit.interpreters.policy import PythonPolicy
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.uris.required_files import ENVIRONMENT


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentLocation:
    """Where the environment of a model is, or would be built.

    ready: whether it is there and sound. why: why it is not ready; empty also when it was never
    built.
    """

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
) -> EnvironmentLocation:
    """Find where `prepare_env` with the same arguments puts the environment; nothing is built.

    Raises what `prepare_env` raises, apart from `BuildFailed`.
    """
    choice = EnvironmentChoice.from_arguments(
        env_manager,
        allow_source=allow_source,
        pip_requirements_override=pip_requirements_override,
        python=python,
        python_policy=python_policy,
        conda_exe=conda_exe,
    )
    if choice.manager is EnvType.LOCAL:
        raise InvalidArgument(
            "A local environment is the Python that runs envkit; it is not in the store."
        )
    model = ModelDirectory.open(model_uri, ENVIRONMENT)
    store = Store.open(root)
    spec = read_spec(model, for_conda=choice.manager is EnvType.CONDA)
    planned = plan_environment(spec, choice, store)
    found = store.look(choice.manager.value, planned.key)
    if isinstance(found, Ready):
        return EnvironmentLocation(path=found.place, ready=True)
    return EnvironmentLocation(path=found.place, ready=False, why=found.why)
