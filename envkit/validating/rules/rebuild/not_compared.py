"""Rule `not-compared`: the model has an example, and the answer to it was recorded.

Without an example it is only proven that the model loads; without a recorded answer, that it gives
one.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV404"
NAME = "not-compared"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report a model that could only be loaded; a note where it answered and nothing was recorded."""
    done = facts.rebuilt
    if done.unbuilt is not None or done.failed is not None:
        return
    if not done.answered:
        problem = "the model was loaded only: it has no input example to predict on"
        remedy = "save the model with an `input_example`, and capture it"
        yield Finding(rule=CODE, severity=SEVERITY, problem=problem, remedy=remedy)
    elif facts.recorded_answer is None:
        problem = "the model answered its example, and no answer was recorded to compare it with"
        remedy = "run `envkit capture` where the model works: it records the answer"
        yield Finding(rule=CODE, severity=Severity.NOTE, problem=problem, remedy=remedy)
