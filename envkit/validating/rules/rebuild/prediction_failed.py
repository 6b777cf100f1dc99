"""Rule `prediction-failed`: the model loads, and answers its example, in the rebuilt environment."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV402"
NAME = "prediction-failed"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report what the model raised, or how its process ended."""
    why = facts.rebuilt.failed
    if why is not None:
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            problem=f"in the rebuilt environment: {' '.join(str(why).split()).rstrip('.')}",
            remedy="require what it lacks; `envkit predict` shows the whole traceback, `envkit capture` finds packages",
        )
