"""Rule `absent-package`: everything that the model asks for is in the environment."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV601"
NAME = "absent-package"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each package that is missing; a warning where it is only implied by others."""
    for each in facts.fit.missing:
        file, line = facts.place_of(each.name)
        yield Finding(
            rule=CODE,
            severity=SEVERITY if each.required else Severity.WARNING,
            file=file,
            line=line,
            problem=f"`{each.spec}` is not in {facts.fit.named}",
            remedy="install it there, or let the model run in an environment of its own (`envkit predict`)",
        )
