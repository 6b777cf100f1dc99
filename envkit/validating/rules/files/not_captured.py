"""Rule `not-captured`: there is an `envkit.json` to compare the other files with."""

import os

from envkit.formats import envkit_json
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule


@rule("ENV109", "not-captured", Severity.NOTE)
def check(facts: ModelFacts) -> Faults:
    """Report a model without evidence."""
    if not facts.runs_in_r and not os.path.lexists(facts.path / envkit_json.FILE_NAME):
        yield Fault(
            problem=(
                f"there is no {envkit_json.FILE_NAME}: the files cannot be compared with a capture"
            ),
            remedy="run `envkit capture` where the model works",
        )
