"""Rule `foreign-abi`: installed packages were built for the environment's interpreter and platform.

A wheel's tags say which interpreter, binary interface and machine its compiled files are for.
Copied folders, `--target` and images that were put together by hand mix them up.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.drift import Drift

SHOWN = 3  # tags


@rule("ENV604", "foreign-abi", Severity.ERROR)
def check(facts: ModelFacts, drift: Drift) -> Faults:
    """Report each package of the model that is installed there for another interpreter."""
    environment = drift.environment
    for package in drift.foreign_builds:
        tags = ", ".join(package.tags[:SHOWN])
        yield Fault(
            problem=(
                f"{package.name} {package.version} in {drift.environment_name} is built for "
                f"{tags}, but the environment is Python {environment.python} on "
                f"{environment.platform}"
            ),
            remedy="install it again with the installer of that interpreter",
            location=facts.location_of(package.name),
        )
