"""Rule `not-tried`: the model answers its example in the rebuilt environment, so that requirements can be left out."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV502"
NAME = "not-tried"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report a model whose requirements could not be tried, and requirements that are not in its environment."""
    if not facts.rebuilt.answered:
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            problem="no requirement was left out: the model does not answer an example in its whole environment",
            remedy="make it answer there first; see the findings of stage rebuild",
        )
