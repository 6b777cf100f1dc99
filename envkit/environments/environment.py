"""An environment that is ready to run a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from envkit.environments.env_type import EnvType


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """An environment that is ready to run a model, as `prepare_env` returns it.

    Attributes:
        python: The program to start, absolute. Symbolic links are kept: a virtual environment is
            known by the path of its program.
        path: The folder of the environment; of a local one the prefix of its interpreter.
        key: The digest of everything that decided it; empty for a local one.
        manager: What built it.
        built: Whether this call built it.
        notes: What the user should know, such as another patch version of Python, or why it was
            rebuilt.
    """

    python: Path
    path: Path
    key: str
    manager: EnvType
    built: bool = False
    notes: tuple[str, ...] = ()

    @property
    def is_isolated(self) -> bool:
        """Whether its programs ignore the caller's `PYTHON*` variables.

        A local environment is seen as the user has it.
        """
        return self.manager is not EnvType.LOCAL
