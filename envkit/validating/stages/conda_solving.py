"""Whether conda's channels have what a `conda.yaml` requires; nothing is installed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from envkit.child import variables
from envkit.environments.conda import request
from envkit.environments.conda.embedded import Embedded
from envkit.environments.installers.installer import Workshop
from envkit.environments.store.store import Store
from envkit.models.environment_spec import EnvironmentSpec
from envkit.validating.stages.targets import Machine


def solve(spec: EnvironmentSpec, machine: Machine) -> None:
    """Solve for a machine.

    Raises `BuildFailed` when there is no solution, `ToolNotFound` without py-rattler.
    """
    solver = Embedded()
    wanted = request.of(spec, os.environ, solver.settings(os.environ))
    store = Store.open()
    store.create()
    cache = store.cache("conda")
    with tempfile.TemporaryDirectory(prefix="envkit-") as folder:
        place = Path(folder).resolve() / "place"
        place.mkdir()
        workshop = Workshop(
            place=place,
            cache=cache,
            variables=variables.for_installer(os.environ),
            secrets=wanted.secrets,
        )
        platform = "" if machine.is_this else machine.conda_platform
        solver.lock(wanted, workshop, place / "pixi.lock", platform=platform)
