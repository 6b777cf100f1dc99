"""Rule `conflict`: no two lines exclude each other where both hold.

Lines with environment markers conflict only where there is a Python and platform for which both
markers hold.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_pairs import (
    exclude_each_other,
    excludes_itself,
    overlapping,
)
from envkit.validating.finding import Finding, Severity

CODE = "ENV131"
NAME = "conflict"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each pair of requirements or constraints that nothing satisfies."""
    for line in facts.requirements.lines:
        if excludes_itself(line):
            problem, remedy = (
                f"no version satisfies `{line.shown}`",
                "keep the one that the model was made with",
            )
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=line.file,
                line=line.line,
                problem=problem,
                remedy=remedy,
            )
    for first, second in overlapping(facts.requirements.lines):
        if exclude_each_other(first, second):
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=second.file,
                line=second.line,
                problem=f"`{second.shown}` and `{first.shown}` ({first.file}:{first.line}) exclude each other",
                remedy="keep the one that the model was made with, or give them markers that do not overlap",
            )
