"""Rule `unread-file`: code and artifacts can be read completely.

What cannot be read, because it is damaged, encrypted, of an unknown kind or too large, is not
checked by the rules on imports and pickles either.
"""

from envkit.analysis.mentions import UnreadReason
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ModelCode

NOTES = frozenset({UnreadReason.TOO_LARGE, UnreadReason.UNKNOWN_BYTECODE, UnreadReason.NOT_FETCHED})
"""Reasons that are not a fault of the file."""


@rule("ENV205", "unread-file", Severity.WARNING)
def check(_: ModelFacts, code: ModelCode) -> Faults:
    """Report each file that was not read completely; a note unless the file itself is faulty."""
    for gap in code.survey.gaps:
        yield Fault(
            problem=f"was not read completely: {gap.problem}",
            remedy=(
                "check the file, or save the model again; a deeper scanner may read more (`--scan`)"
            ),
            location=Location("" if gap.file == "." else gap.file),
            severity=Severity.NOTE if gap.reason in NOTES else Severity.WARNING,
        )
