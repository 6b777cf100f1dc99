"""Rule `bad-reference`: every `-r` and `-c` leads to a file of the model, and in no circle."""

from __future__ import annotations

import os
from collections.abc import Iterator

from envkit.formats import requirements_txt
from envkit.formats.requirement import Requirement
from envkit.validating.files.edits import Edit
from envkit.validating.files.facts import ModelFacts
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


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Write constraints that are referred to and gone, as the capture saw them."""
    bounds = requirements_txt.CONSTRAINTS_FILE_NAME
    implied = [
        each
        for each in (facts.evidence.installed if facts.evidence else ())
        if each.role == "constraint"
    ]
    is_wanted = any(
        each.reference == f"-c {bounds}" for file in facts.all_requirements for each in file.bad
    )
    if implied and is_wanted and not os.path.lexists(facts.path / bounds):
        yield bounds, requirements_txt.dumps(Requirement(text=each.requirement) for each in implied)
