"""Rule `unresolvable`: versions that fit together can be found for each target.

Every pin has a wheel, but what one requires another forbids, or a dependency is to be had nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV302"
NAME = "unresolvable"
SEVERITY = Severity.ERROR
SHOWN = 600


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report what the resolver said."""
    for each in facts.resolutions:
        if each.conflict:
            if len(each.conflict) <= SHOWN:
                said = each.conflict
            else:
                said = f"{each.conflict[:SHOWN]}…"
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=facts.requirements_name,
                problem=f"for {each.place.label}: {said.rstrip('.')}",
                remedy="loosen or change one of the pins, or capture the model again where it works",
            )
