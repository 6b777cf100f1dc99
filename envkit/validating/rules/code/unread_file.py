"""Rule `unread-file`: code and artifacts can be read completely.

What cannot be read, because it is damaged, encrypted, of an unknown kind or too large, is not
checked by the rules on imports and pickles either.
"""

from pathlib import PurePosixPath

from envkit.analysis.mentions import Gap, UnreadReason
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ModelCode

NOTES = frozenset({UnreadReason.TOO_LARGE, UnreadReason.UNKNOWN_BYTECODE, UnreadReason.NOT_FETCHED})
"""Reasons that are not a fault of the file."""
PICKLES = frozenset({".joblib", ".pickle", ".pkl", ".skops"})


@rule("ENV205", "unread-file", Severity.WARNING)
def check(facts: ModelFacts, code: ModelCode) -> Faults:
    """Report each file that was not read completely; a note unless the file itself is faulty."""
    named = {value.removeprefix("./") for _, value in facts.named_paths}
    for gap in code.survey.gaps:
        yield Fault(
            problem=f"was not read completely: {gap.problem}",
            remedy=(
                "check the file, or save the model again; a deeper scanner may read more (`--scan`)"
            ),
            location=Location("" if gap.file == "." else gap.file),
            severity=_severity(gap, named),
        )


def _severity(gap: Gap, named: set[str]) -> Severity:
    """An error for a damaged pickle that `MLmodel` names: nothing can load it."""
    if gap.reason in NOTES:
        return Severity.NOTE
    is_loaded = gap.file in named and PurePosixPath(gap.file).suffix in PICKLES
    if gap.reason is UnreadReason.BROKEN and is_loaded:
        return Severity.ERROR
    return Severity.WARNING
