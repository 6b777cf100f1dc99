"""Rule `duplicate`: each name is required once for each environment, however it is spelt."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.facts import ModelFacts
from envkit.validating.finding import Finding, Severity
from envkit.validating.pairs import exclude_each_other, overlapping

CODE = "ENV130"
NAME = "duplicate"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each requirement that another one of the same name already makes."""
    lines = [each for each in facts.requirements.lines if not each.constraint]
    for first, second in overlapping(lines):
        if not exclude_each_other(first, second):
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=second.file,
                line=second.line,
                problem=f"`{second.shown}` requires what `{first.shown}` ({first.file}:{first.line}) does",
                remedy="keep one of them, with the extras of both",
            )
