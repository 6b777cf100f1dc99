"""Environment specs that install tiny wheels without a network."""

from __future__ import annotations

from pathlib import Path

from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.interpreters import RUNNING
from tests.builders.requirements import options, requirements
from tests.builders.wheels import write_wheel


def alpha_spec(model: Path) -> EnvironmentSpec:
    """Give a spec of `alpha`, which requires `beta`; of both there are wheels 1.0 and 2.0."""
    wheels = model / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    for version in ("1.0", "2.0"):
        write_wheel(wheels, "alpha", version, requires=["beta>=1"])
        write_wheel(wheels, "beta", version)
    return EnvironmentSpec(
        directory=model,
        python=RUNNING,
        requirements=requirements("alpha==1.0"),
        constraints=requirements("beta==1.0"),
        options=options("--no-index", "--find-links wheels"),
    )
