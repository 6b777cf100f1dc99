"""Rule `bad-reference`: every `-r` and `-c` leads to a file of the model, and in no circle."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV112"
NAME = "bad-reference"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each reference that cannot be followed."""
    bad = dict.fromkeys(each for file in facts.all_requirements for each in file.bad)
    for each in bad:
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=each.file,
            line=each.line,
            problem=f"`{each.reference}` {each.problem}",
            remedy="write the lines out, or refer to a file inside the model",
        )
