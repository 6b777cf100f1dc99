"""Rule `unread-file`: code and artifacts can be read completely.

What cannot be read, because it is damaged, encrypted, of an unknown kind or too large, is not
checked by the rules on imports and pickles either.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.not_fetched import NOT_FETCHED
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ModelCode

TOO_LONG = ("it is longer than is read", "it unpacks into more than")


@rule("ENV205", "unread-file", Severity.WARNING)
def check(_: ModelFacts, code: ModelCode) -> Faults:
    """Report each file of which something stayed unread; a note where it is merely large."""
    for gap in code.survey.gaps:
        large = (
            gap.problem.startswith(TOO_LONG)
            or NOT_FETCHED in gap.problem
            or "bytecode" in gap.problem
        )
        yield Fault(
            f"was not read completely: {gap.problem}",
            "check the file, or save the model again; a deeper scanner may read more (`--scan`)",
            Location("" if gap.file == "." else gap.file),
            Severity.NOTE if large else Severity.WARNING,
        )
