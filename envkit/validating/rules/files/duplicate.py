"""Rule `duplicate`: each name is required once for each environment."""

from envkit.validating.files.edits import Edits, without_requirement
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line
from envkit.validating.files.requirement_pairs import exclude_each_other, overlapping
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule


@rule("ENV130", "duplicate", Severity.WARNING)
def check(facts: ModelFacts) -> Faults:
    """Report each requirement whose name another line requires already."""
    for first, second in overlapping(_requirements(facts)):
        if not exclude_each_other(first, second):
            yield Fault(
                problem=(
                    f"`{second.shown}` requires the same package as `{first.shown}` "
                    f"({first.location})"
                ),
                remedy="keep one of them, with the extras of both",
                location=second.location,
            )


def fix(facts: ModelFacts) -> Edits:
    """Remove a line that another one covers; one at a time, because line numbers change."""
    for first, second in overlapping(_requirements(facts)):
        if _covers(first, second):
            yield from without_requirement(facts, second)
            return
        if _covers(second, first):
            yield from without_requirement(facts, first)
            return


def _requirements(facts: ModelFacts) -> list[Line]:
    return [line for line in facts.requirements.lines if not line.constraint]


def _covers(line: Line, other: Line) -> bool:
    """Whether the other line requires nothing more."""
    if line.parsed is None or other.parsed is None or line.marker != other.marker:
        return False
    return line.specifier == other.specifier and other.parsed.extras <= line.parsed.extras
