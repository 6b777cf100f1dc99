"""Rule `no-wheel`: every pinned package has a wheel for each target."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV301"
NAME = "no-wheel"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each pin for which the indexes have no wheel, and each wheel of the model that does not fit."""
    for each in facts.resolutions:
        for name, what in each.wheelless.items():
            file, line = facts.place_of(name)
            problem = f"there is no wheel of `{what}` for {each.place.label}"
            if what.endswith(".whl"):
                problem = f"the wheel {what} is not for {each.place.label}"
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=file,
                line=line,
                problem=problem,
                remedy="pin a version that has one, take another target, or put a wheel into the model's `wheels/`",
            )
