"""An environment that is ready to run a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from envkit.environments.env_type import EnvType


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """What `prepare` gives and the runner takes.

    python: the program to start, absolute; not resolved, since a virtual environment is told by the
    path. path: the environment's folder (for a local one the prefix of its interpreter). key: the
    digest of everything that decided it; empty for a local one, which nothing decided. built:
    whether this call built it. notes: what the caller should be told: another patch version, why it
    was built again.
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
