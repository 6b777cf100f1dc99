"""Rule `no-wheel`: every pinned package has a wheel for each target."""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.resolve import Resolved, Unavailable


@rule("ENV301", "no-wheel", Severity.ERROR)
def check(facts: ModelFacts, resolved: Resolved) -> Faults:
    """Report pins for which the indexes have no wheel, and wheels of the model that do not fit."""
    for resolution in resolved.resolutions:
        for name, unavailable in resolution.unavailable.items():
            yield _fault(name, unavailable, resolution.machine.label, facts.location_of(name))


def _fault(name: str, unavailable: Unavailable, machine: str, location: Location) -> Fault:
    pin = unavailable.pin
    if unavailable.is_unknown:
        return Fault(
            problem=f"there is no package `{name}` on the indexes",
            remedy="correct the name, or name the index that has it",
            location=location,
        )
    if unavailable.is_unreleased:
        return Fault(
            problem=f"there is no `{pin}` on the indexes",
            remedy="pin a version that exists, or name the index that has it",
            location=location,
        )
    problem = f"there is no wheel of `{pin}` for {machine}"
    if pin.endswith(".whl"):
        problem = f"the wheel {pin} is not for {machine}"
    return Fault(
        problem=problem,
        remedy=(
            "pin a version that has one, use another target, or put a wheel into the model's "
            "`wheels/`"
        ),
        location=location,
    )
