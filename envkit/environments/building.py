"""Build a planned environment: interpreter or conda packages first, then what pip installs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.child import variables
from envkit.child.progress import Reporter
from envkit.child.variables import Variables
from envkit.environments import locked_packages
from envkit.environments.env_type import EnvType
from envkit.environments.installers import index_conflicts, index_settings
from envkit.environments.installers.installer import Engine, Workshop
from envkit.environments.installers.uv import Uv
from envkit.environments.installers.virtualenv import Virtualenv
from envkit.environments.installers.yanked import Inquiry
from envkit.environments.planning import PlannedEnvironment
from envkit.environments.store.store import Store
from envkit.errors import InvalidFile
from envkit.formats import pip_conf, redaction, uv_toml
from envkit.formats.pylock_toml import LockFile
from envkit.installed import records
from envkit.interpreters.interpreter import Interpreter


@dataclass(frozen=True, kw_only=True, slots=True)
class Builder:
    """Builds one planned environment in a store.

    environ: envkit's variables. warn: gets what the user should know about the result. report: gets
    what takes time.
    """

    store: Store
    planned: PlannedEnvironment
    environ: Variables
    warn: Reporter
    report: Reporter

    def fill(self, place: Path, store_lock: int) -> Interpreter | None:
        """Make the environment at `place`; see `store.Fill`."""
        planned = self.planned
        engine = self._engine()
        workshop = self._workshop(place, store_lock)
        lock = _usable_lock(planned)
        if lock is None:
            self._refuse_index_conflicts(workshop)
        own_interpreter = engine.create(planned.interpreter, workshop)
        inquiry = None
        # pip reports yanked versions by itself
        if lock is not None and self._is_installed_by_uv:
            inquiry = Inquiry(lock, own_interpreter or planned.interpreter, workshop)
        engine.install(planned.plan, workshop.with_own_temporary_files())
        if inquiry is not None:
            for note in inquiry.notes():
                self.warn(note)
        for note in records.shared(place):
            self.warn(note)
        shutil.rmtree(workshop.papers)
        return own_interpreter

    @property
    def _is_installed_by_uv(self) -> bool:
        return self.planned.manager is not EnvType.VIRTUALENV

    def _engine(self) -> Engine:
        if self.planned.conda is not None:
            return self.planned.conda
        if self._is_installed_by_uv:
            return Uv()
        return Virtualenv()

    def _workshop(self, place: Path, store_lock: int) -> Workshop:
        plan = self.planned.plan
        installer_variables = variables.for_installer(self.environ)
        settings: Mapping[str, Any] = {}
        if self._is_installed_by_uv:
            settings = uv_toml.of_machine(self.environ)
        else:
            settings = pip_conf.of_machine(self.environ)
            installer_variables |= pip_conf.variables(settings)
        secrets = redaction.secrets_in([*plan.lines_with_secrets, str(settings)])
        if self.planned.conda is not None:
            secrets |= self.planned.conda.request.secrets
        return Workshop(
            place=place,
            cache=self.store.cache(self.planned.manager.value),
            variables=installer_variables,
            inherit=(store_lock,),
            secrets=secrets,
            allow_source=plan.allow_source,
            settings=settings,
            warn=self.warn,
            report=self.report,
        )

    def _refuse_index_conflicts(self, workshop: Workshop) -> None:
        """Refuse a name that two indexes have with different files: either could be meant."""
        index_conflicts.refuse(
            self.planned.plan,
            index_settings.urls(self.planned.manager, self.environ),
            self.planned.interpreter,
            self.store.cache("uv"),
            workshop.variables,
        )


def check_lock(planned: PlannedEnvironment) -> list[str]:
    """Refuse a lock that contradicts the requirements; return a note when it cannot be installed.

    Raises `InvalidFile`.
    """
    plan = planned.plan
    if plan.lock is None:
        return []
    python = planned.interpreter.version
    disagreements = list(locked_packages.disagreements(plan.lock, plan.requirements, python))
    if disagreements:
        raise InvalidFile(
            plan.lock.path,
            "packages",
            f"does not match the model's requirements: {'; '.join(disagreements[:3])}",
            "Capture the model again, or remove the lock.",
        )
    obstacle = locked_packages.obstacle(plan.lock, allow_source=plan.allow_source)
    if obstacle:
        return [
            f"{plan.lock.path.name} cannot be installed as it is ({obstacle}); "
            "requirements were resolved again."
        ]
    return []


def _usable_lock(planned: PlannedEnvironment) -> LockFile | None:
    """The lock; None where there is none or it cannot be installed as it is."""
    plan = planned.plan
    if plan.lock is None:
        return None
    if locked_packages.obstacle(plan.lock, allow_source=plan.allow_source):
        return None
    return plan.lock
