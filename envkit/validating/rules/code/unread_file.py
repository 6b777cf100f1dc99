"""Rule `unread-file`: code and artifacts could be read whole.

What could not be read, because it is damaged, encrypted, of an unknown kind or larger than is read
here, was not checked by the rules on imports and pickles either.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.unfetched import NOT_FETCHED
from envkit.validating.finding import Finding, Severity

CODE = "ENV205"
NAME = "unread-file"
SEVERITY = Severity.WARNING
TOO_LONG = ("it is longer than is read", "it unpacks into more than")


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each file of which something stayed unread; a note where it is merely large."""
    for gap in facts.imports.survey.gaps if facts.imports.survey else ():
        large = (
            gap.problem.startswith(TOO_LONG)
            or NOT_FETCHED in gap.problem
            or "bytecode" in gap.problem
        )
        yield Finding(
            rule=CODE,
            severity=Severity.NOTE if large else SEVERITY,
            file="" if gap.file == "." else gap.file,
            problem=f"was not read whole: {gap.problem}",
            remedy="check the file, or save the model again; a deeper scanner may read more (`--scan`)",
        )
