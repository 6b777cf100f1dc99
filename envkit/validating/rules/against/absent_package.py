"""Rule `absent-package`: every package that the model needs is in the environment."""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.drift import Drift


@rule("ENV601", "absent-package", Severity.ERROR)
def check(facts: ModelFacts, drift: Drift) -> Faults:
    """Report each missing package; a warning where only other packages need it."""
    for package in drift.absent:
        yield Fault(
            problem=f"`{package.spec}` is not in {drift.environment_name}",
            remedy="install it there, or run the model in its own environment (`envkit predict`)",
            location=facts.location_of(package.name),
            severity=Severity.ERROR if package.is_required else Severity.WARNING,
        )
