"""Rule `marker-excludes`: a requirement holds for the model's own Python."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.markers import holds_for
from envkit.validating.finding import Finding, Severity

CODE = "ENV132"
NAME = "marker-excludes"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each requirement whose marker holds on no platform for the model's Python."""
    python = facts.python
    if python is None or not python.replace(".", "").isdecimal():
        return
    lines = [each for each in facts.requirements.lines if not each.constraint]
    held = {each.name for each in lines if holds_for(each.marker, python)}
    for line in lines:
        if line.name not in held:
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=line.file,
                line=line.line,
                problem=f"`{line.shown}` is never installed: its marker does not hold for Python {python}",
                remedy="correct the marker, or remove the line",
            )
