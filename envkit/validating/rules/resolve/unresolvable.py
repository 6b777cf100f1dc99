"""Rule `unresolvable`: for each target, there are versions that fit together.

Every pin has a wheel, but one pin excludes what another requires, or a dependency is not available.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.resolve import Resolved

MAX_SHOWN = 600  # characters


@rule("ENV302", "unresolvable", Severity.ERROR)
def check(facts: ModelFacts, resolved: Resolved) -> Faults:
    """Report what the resolver says."""
    for resolution in resolved.resolutions:
        conflict = resolution.conflict
        if not conflict:
            continue
        if len(conflict) > MAX_SHOWN:
            conflict = f"{conflict[:MAX_SHOWN]}…"
        yield Fault(
            problem=f"for {resolution.machine.label}: {conflict.rstrip('.')}",
            remedy="loosen or change one of the pins, or capture the model again where it works",
            location=Location(facts.requirements_name),
        )
