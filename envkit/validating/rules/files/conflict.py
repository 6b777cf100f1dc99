"""Rule `conflict`: no two lines exclude each other where both apply.

Lines with environment markers conflict only if both markers hold for some Python and platform.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_pairs import (
    exclude_each_other,
    excludes_itself,
    overlapping,
)
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule

REMEDY = "keep the one that the model was made with"


@rule("ENV131", "conflict", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each line, and each pair of lines, that no version satisfies."""
    lines = facts.requirements.lines
    for line in lines:
        if excludes_itself(line):
            yield Fault(
                problem=f"no version satisfies `{line.shown}`",
                remedy=REMEDY,
                location=line.location,
            )
    for first, second in overlapping(lines):
        if exclude_each_other(first, second):
            yield Fault(
                problem=(
                    f"`{second.shown}` and `{first.shown}` ({first.location}) exclude each other"
                ),
                remedy=f"{REMEDY}, or use markers that do not overlap",
                location=second.location,
            )
