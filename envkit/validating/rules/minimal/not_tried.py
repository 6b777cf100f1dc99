"""Rule `not-tried`: the model answers its example, so that requirements can be left out."""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.minimal import Minimal


@rule("ENV502", "not-tried", Severity.WARNING)
def check(_: ModelFacts, minimal: Minimal) -> Faults:
    """Report a model whose requirements could not be tried."""
    if not minimal.is_tried:
        yield Fault(
            problem=(
                "no requirement was left out: the model answers no example in its complete "
                "environment"
            ),
            remedy="make it answer there first; see the findings of the stage rebuild",
        )
