"""Environments built or planned; the fields of the choice are keywords."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from envkit.environments import planning
from envkit.environments import prepare as preparing
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.planning import PlannedEnvironment
from envkit.environments.store.store import Store
from envkit.models.environment_spec import EnvironmentSpec


def prepare(
    spec: EnvironmentSpec,
    manager: EnvType,
    *,
    root: Path | None = None,
    report: Callable[[str], None] | None = None,
    **choice: Any,
) -> Environment:
    return preparing.prepare(
        spec, EnvironmentChoice(manager=manager, **choice), root=root, report=report
    )


def plan_environment(
    spec: EnvironmentSpec, manager: EnvType, store: Store, **choice: Any
) -> PlannedEnvironment:
    return planning.plan_environment(spec, EnvironmentChoice(manager=manager, **choice), store)
