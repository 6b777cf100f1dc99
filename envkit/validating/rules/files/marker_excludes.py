"""Rule `marker-excludes`: every requirement applies to the model's own Python."""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.markers import holds_for
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule


@rule("ENV132", "marker-excludes", Severity.WARNING)
def check(facts: ModelFacts) -> Faults:
    """Report each requirement whose marker holds on no platform for the model's Python."""
    python = facts.python
    if python is None or not python.replace(".", "").isdecimal():
        return
    lines = [line for line in facts.requirements.lines if not line.constraint]
    installed = {line.name for line in lines if holds_for(line.marker, python)}
    for line in lines:
        if line.name not in installed:
            yield Fault(
                problem=f"`{line.shown}` is never installed: its marker excludes Python {python}",
                remedy="correct the marker, or remove the line",
                location=line.location,
            )
