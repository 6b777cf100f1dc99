"""Rule `not-captured`: there is an `envkit.json`, against which the other files can be held."""

from __future__ import annotations

import os
from collections.abc import Iterator

from envkit.formats import envkit_json
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV109"
NAME = "not-captured"
SEVERITY = Severity.NOTE


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report a model without evidence."""
    in_r = facts.mlmodel is not None and facts.mlmodel.runs_in_r
    if not in_r and not os.path.lexists(facts.path / envkit_json.FILE_NAME):
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            problem=f"there is no {envkit_json.FILE_NAME}: whether the files are right cannot be checked",
            remedy="run `envkit capture` where the model works",
        )
