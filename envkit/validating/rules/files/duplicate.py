"""Rule `duplicate`: each name is required once for each environment, however it is spelt."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.edits import Edit, requirement_changed
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_pairs import exclude_each_other, overlapping
from envkit.validating.finding import Finding, Severity

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


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Remove a line that asks for no more than one before it; one at a time, as line numbers move."""
    lines = [each for each in facts.requirements.lines if not each.constraint]
    for first, second in overlapping(lines):
        if first.parsed is None or second.parsed is None or first.marker != second.marker:
            continue
        if first.specifier == second.specifier and second.parsed.extras <= first.parsed.extras:
            yield from requirement_changed(facts, second, None)
            return
        if first.specifier == second.specifier and first.parsed.extras <= second.parsed.extras:
            yield from requirement_changed(facts, first, None)
            return
